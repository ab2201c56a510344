package import Datasets
internal import Distillation
internal import Foundation
internal import Networks
package import Specs
package import Storage

extension GridVocabulary {
  /// What this program's catalogs let a grid name.
  ///
  /// - Parameters:
  ///   - dataFolders: folders of datasets, searched in order.
  ///   - gridFolder: what relative folders in a grid are relative to.
  ///   - folder: of the store where `import` keeps what it took in; nil where no store is looked at.
  package static func engine(
    dataFolders: [String], gridFolder: String = ".", in folder: StoreFolder? = nil
  ) -> GridVocabulary {
    var vocabulary = GridVocabulary(
      methods: Catalog.methods.entries.map { $0.description }, networks: NetworkNames.ids,
      network: { try NetworkNames.spec($0) }, datasets: Catalog.datasets.names,
      dataset: {
        try DatasetCatalog.locate(resolved($0, in: gridFolder), searching: dataFolders, index: .of(folder))
          .spec
      })
    vocabulary.weights = {
      try TeacherWeights.teacher($0, on: $1, in: folder.map(WeightsFolder.init), gridFolder: gridFolder)
    }
    vocabulary.trainer = { try TrainerFiles.spec($0, in: gridFolder) }
    return vocabulary
  }

  /// `NAME:FOLDER` with the folder seen from where the grid is.
  private static func resolved(_ text: String, in gridFolder: String) -> String {
    guard let colon = text.firstIndex(of: ":") else { return text }
    let folder = text[text.index(after: colon)...]
    return folder.hasPrefix("/") || gridFolder == "." ? text : "\(text[..<colon]):\(gridFolder)/\(folder)"
  }
}

extension PhotographIndexing {
  /// Remembers folders of photographs in the store, and tells standard error how it goes.
  package static func of(_ folder: StoreFolder?) -> PhotographIndexing {
    PhotographIndexing(folder: folder.map { "\($0.path)/indexes" }) { text in
      FileHandle.standardError.write(Data("\(text)\n".utf8))
    }
  }
}

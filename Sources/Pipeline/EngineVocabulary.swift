internal import Datasets
internal import Distillation
internal import Networks
package import Specs

extension GridVocabulary {
  /// What this program's catalogs let a grid name.
  ///
  /// - Parameters:
  ///   - dataFolders: folders of datasets, searched in order.
  ///   - gridFolder: what relative folders in a grid are relative to.
  package static func engine(dataFolders: [String], gridFolder: String = ".") -> GridVocabulary {
    GridVocabulary(
      methods: Catalog.methods.entries.map { $0.description }, networks: NetworkNames.ids,
      network: { try NetworkNames.spec($0) }, datasets: Catalog.datasets.names,
      dataset: { try DatasetCatalog.locate(resolved($0, in: gridFolder), searching: dataFolders).spec })
  }

  /// `NAME:FOLDER` with the folder seen from where the grid is.
  private static func resolved(_ text: String, in gridFolder: String) -> String {
    guard let colon = text.firstIndex(of: ":") else { return text }
    let folder = text[text.index(after: colon)...]
    return folder.hasPrefix("/") || gridFolder == "." ? text : "\(text[..<colon]):\(gridFolder)/\(folder)"
  }
}

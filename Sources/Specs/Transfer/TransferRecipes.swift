/// The recipes of transfers and their fields.
///
/// Sources: open-mmlab/mmdetection `configs/_base_`, pytorch/vision `torchvision/models/detection` and
/// `references/detection`; winycg/CIRKD `train_baseline.py`; open-mmlab/mmsegmentation `configs/_base_`.
/// `mini-det` and `mini-seg` are this program's own, for small images and small machines.
package enum TransferRecipes {
  package static let all = [
    TransferRecipe(
      name: "mmdet-1x", task: .detection,
      summary: "MMDetection's 1x schedule: 12 epochs at 800 × 1333 pixels, batches of 16"),
    TransferRecipe(
      name: "torchvision", task: .detection,
      summary: "TorchVision's reference: 26 epochs at 800 × 1333 pixels, batches of 16"),
    TransferRecipe(
      name: "mini-det", task: .detection,
      summary: "small images: 12 epochs at the dataset's own size, a pyramid of 64 channels"),
    TransferRecipe(
      name: "lab-seg", task: .segmentation,
      summary: "the rules of the paper's group: 80 000 steps, corners aligned, both convolutions dilated"),
    TransferRecipe(
      name: "mmseg", task: .segmentation,
      summary: "MMSegmentation's: 80 000 steps, half-pixel resizing, contracted dilation"),
    TransferRecipe(
      name: "mini-seg", task: .segmentation,
      summary: "small images: 600 steps of 8 at the dataset's own size, narrow heads"),
  ]

  package static let fields = detection + segmentation

  package static func fields(of task: TransferTask) -> [TransferField] {
    task == .detection ? detection : segmentation
  }

  package static func recipes(of task: TransferTask) -> [TransferRecipe] { all.filter { $0.task == task } }

  package static func recipe(_ name: String) -> TransferRecipe? { all.first { $0.name == name } }

  /// The fields that a head reads, each with what the grid says or else the recipe.
  ///
  /// A batch of another size scales the recipe's rate linearly, unless the rate is given.
  ///
  /// - Parameters:
  ///   - given: what the grid says, by the names of fields.
  package static func resolved(
    _ recipe: TransferRecipe, head: String, dataset: String, given: [String: JSONValue]
  ) -> [String: JSONValue] {
    var values: [String: JSONValue] = [:]
    let read = fields(of: recipe.task).filter { $0.readers.contains(head) }
    for field in read {
      values[field.name] =
        given[field.name]
        ?? field.standard(recipe.name, head: head, dataset: dataset) { values[$0]?.number?.double }
    }
    let usual = read.first { $0.name == "batchSize" }?.standard(
      recipe.name, head: head, dataset: dataset
    ) { _ in nil }.number?.double
    if given["learningRate"] == nil, let usual, let batch = values["batchSize"]?.number?.double,
      batch != usual, let rate = values["learningRate"]?.number?.double,
      let scaled = DecimalNumber(rate * batch / usual)
    {
      values["learningRate"] = .number(scaled)
    }
    // What follows from the rules unless it is given.
    for (name, followed) in following where values[name] == "rules" {
      let rules = head == "cascade-rcnn" ? "mmdet" : values["rules"]?.string ?? "mmdet"
      values[name] = followed[rules]
    }
    for field in read where field.omitted != nil && values[field.name] == field.omitted {
      values[field.name] = nil
    }
    return values
  }

  /// Why this program cannot train what resolved fields ask for; nil where it can.
  package static func unsupported(_ fields: [String: JSONValue], head: String) -> String? {
    if let batch = fields["batchSize"]?.integer, batch < 2, TransferTask.segmentation.heads.contains(head) {
      return
        "\(head) needs a \"batchSize\" of 2 at least: the norms of its pooled branches would see one value "
        + "a channel"
    }
    let frame = ["frameLong", "frameShort"].map { fields[$0]?.integer ?? 0 }
    if frame.contains(0), fields["scale"] == "ratio" || frame != [0, 0] {
      return
        "\"scale\": \"ratio\" and tests in a frame need both sides of it: \"frameLong\" and \"frameShort\""
    }
    let crop = ["cropHeight", "cropWidth"].map { fields[$0]?.integer ?? 0 }
    for (field, value) in [("cropRule", "retry75"), ("test", "slide")] where crop.contains(0) {
      guard fields[field] == .string(value) else { continue }
      return "\"\(field)\": \"\(value)\" needs the size of crops: \"cropHeight\" and \"cropWidth\""
    }
    return nil
  }

  private static let following: [String: [String: JSONValue]] = [
    "anchorRounding": ["mmdet": "none", "tv": "tv"], "roiSampling": ["mmdet": 0, "tv": 2],
    "roiAligned": ["mmdet": true, "tv": false],
  ]
}

import Foundation
import Networks
import Specs
import TestSupport
import Tensors
import Testing

/// Operations and layers against recorded results and gradients, in double and in float.
@Suite(.enabled(if: Fixtures.has("models/layers.safetensors"), "the fixtures of layers are compared with"))
struct LayerFixtureTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let id: String
    let operation: String
    let attributes: [String: JSONValue]
    let inputs: [String]
    let constants: [String]
    let outputs: [String]
    let gradients: [String]
    let hasUpstream: Bool
    let tolerance: Double
    var testDescription: String { id }

    func integer(_ name: String) -> Int { attributes[name]!.integer! }
    func double(_ name: String) -> Double { attributes[name]!.number!.double }
    func extent(_ name: String) -> Extent {
      let value = attributes[name]!
      if let side = value.integer { return Extent(side) }
      return Extent(value.array![0].integer!, value.array![1].integer!)
    }
  }

  static let file: Safetensors? = {
    guard Fixtures.has("models/layers.safetensors") else { return nil }
    do { return try Safetensors(decoding: Fixtures.bytes("models/layers.safetensors")) } catch {
      fatalError("models/layers.safetensors: \(error)")
    }
  }()

  static let all: [Case] = {
    guard let file else { return [] }
    do {
      let list = try JSONReader.read(Array(file.metadata["cases"]!.utf8)).value.array!
      return try list.map { value in
        let record = try SpecObject(value)
        func names(_ name: String) throws -> [String] { try record.array(name).compactMap(\.string) }
        return Case(
          id: try record.string("id"), operation: try record.string("op"),
          attributes: record["attrs"]?.object ?? [:], inputs: try names("inputs"),
          constants: try names("constants"), outputs: try names("outputs"),
          gradients: try names("gradients"), hasUpstream: try record.string("upstream") == "stored",
          tolerance: try record.number("f32_tolerance").double)
      }
    } catch {
      fatalError("models/layers.safetensors: \(error)")
    }
  }()

  @Test func `every operation is covered or listed`() {
    let missing = Set(Self.all.map(\.operation)).subtracting(Self.operations.keys)
    #expect(Self.all.count > 50)
    #expect(missing == NotCovered.layerOperations.intersection(Self.all.map(\.operation)))
  }

  @Test(arguments: all.filter { operations[$0.operation] != nil }, [Precision.double, .single])
  func `an operation agrees with the recorded result`(_ record: Case, _ precision: Precision) throws {
    let file = try #require(Self.file)
    func stored(_ name: String) throws -> Safetensors.Entry { try #require(file["\(record.id)/\(name)"]) }
    var arguments = Arguments(record: record, precision: precision)
    for name in record.inputs {
      arguments.tensors[name] = try #require(stored(name).tensor).converted(to: precision).leaf()
    }
    for name in record.constants {
      let entry = try stored(name)
      if let tensor = entry.tensor {
        arguments.tensors[name] = tensor.converted(to: precision)
      } else {
        let integers = try #require(entry.integers)
        arguments.integers[name] = integers.map { Int($0) }
        arguments.tensors[name] = Tensor(integers.map { Double($0) }, entry.shape, precision)
      }
    }
    let operation = try #require(Self.operations[record.operation])
    let outputs = operation(arguments)
    for name in record.outputs {
      let output = try #require(outputs[name], "\(name)")
      try compare(output, with: stored(name), record, precision, name)
    }
    let y = try #require(outputs["y"])
    let upstream = try record.hasUpstream ? #require(stored("dy").tensor).converted(to: precision) : nil
    let gradients = y.gradients(
      upstream: (upstream ?? .full(1, y.shape, precision)).reshaped(y.shape))
    for name in record.gradients {
      let leaf = try #require(arguments.tensors[String(name.dropFirst())])
      let gradient = gradients[leaf] ?? .zeros(leaf.shape, precision)
      try compare(gradient, with: stored(name), record, precision, name)
    }
  }

  private func compare(
    _ tensor: Tensor, with entry: Safetensors.Entry, _ record: Case, _ precision: Precision, _ name: String
  ) throws {
    let truth = try #require(entry.tensor).doubles
    let got = tensor.doubles
    try #require(got.count == truth.count, "\(record.id) \(name): \(tensor.shape) and \(entry.shape)")
    let error = zip(got, truth).map { abs($0 - $1) }.max() ?? 0
    let size = truth.map(abs).max() ?? 0
    let tolerance = precision == .double ? 1e-9 : record.tolerance
    // A softmax removes what a bias before it adds to all its inputs: such gradients are zero, and the
    // record holds rounding noise.
    #expect(error <= tolerance * (size > 1e-14 ? size : 1), "\(name): \(error) of \(size)")
  }
}

extension LayerFixtureTests {
  /// The tensors of a case by their names in the file.
  struct Arguments {
    let record: Case
    let precision: Precision
    var tensors: [String: Tensor] = [:]
    var integers: [String: [Int]] = [:]

    subscript(name: String) -> Tensor { tensors[name]! }
    var x: Tensor { tensors["x"]! }

    /// Evaluates a layer whose arrays are the tensors `p.…` of the case, as the leaves that they are.
    func layer(_ build: (Scope) -> (Pass) -> Tensor) -> Tensor {
      let scope = Scope()
      let evaluate = build(scope)
      var state = ModelState(unfilled: scope.declarations, precision: precision)
      for (slot, declaration) in zip(state.slots, scope.declarations) {
        state[slot] = tensors["p.\(declaration.path)"]!
      }
      return evaluate(Pass(state, .inference))
    }
  }

  static let operations: [String: @Sendable (Arguments) -> [String: Tensor]] = [
    "conv2d": { a in
      [
        "y": a.x.conv2D(
          a["w"], bias: a.tensors["b"], stride: a.record.extent("stride"),
          padding: a.record.extent("padding"),
          dilation: a.record.extent("dilation"), groups: a.record.integer("groups"))
      ]
    },
    "conv_transpose2d": { a in
      [
        "y": a.x.transposedConv2D(
          a["w"], bias: a.tensors["b"], stride: a.record.extent("stride"),
          padding: a.record.extent("padding"),
          extra: a.record.extent("output_padding"))
      ]
    },
    "linear": { a in
      let rows = a.x.reshaped([a.x.shape.outer(of: a.x.shape.rank - 1), a["w"].shape[1]])
      let product = rows.matmul(a["w"], transposingOther: true)
      return ["y": a.tensors["b"].map { product.adding(row: $0) } ?? product]
    },
    "batch_norm": { a in
      guard a.record.attributes["training"]!.bool! else {
        let y = a.x.batchNorm(
          weight: a["w"], bias: a["b"], mean: a["running_mean"], variance: a["running_var"],
          epsilon: a.record.double("eps"))
        return [
          "y": y, "running_mean_after": a["running_mean"], "running_var_after": a["running_var"],
        ]
      }
      let (y, mean, variance) = a.x.batchNorm(
        weight: a["w"], bias: a["b"], epsilon: a.record.double("eps"))
      let count = Double(a.x.count / a.x.shape[1])
      let share = a.record.double("momentum")
      return [
        "y": y, "running_mean_after": a["running_mean"] * (1 - share) + mean * share,
        "running_var_after": a["running_var"] * (1 - share) + variance * (share * count / (count - 1)),
      ]
    },
    "layer_norm": { a in
      ["y": a.x.layerNorm(weight: a["w"], bias: a["b"], epsilon: a.record.double("eps"))]
    },
    "relu": { ["y": $0.x.relu()] },
    "relu6": { ["y": $0.x.relu6()] },
    "gelu_erf": { ["y": $0.x.gelu()] },
    "sigmoid": { ["y": $0.x.sigmoid()] },
    "tanh": { ["y": $0.x.tanh()] },
    "softmax": { a in ["y": alongAxis(a.record.integer("dim"), a.x) { $0.softmax() }] },
    "log_softmax": { a in ["y": alongAxis(a.record.integer("dim"), a.x) { $0.logSoftmax() }] },
    "max_pool2d": { a in
      [
        "y": a.x.maxPool2D(
          kernel: a.record.extent("kernel"), stride: a.record.extent("stride"),
          padding: a.record.extent("padding"), ceil: a.record.attributes["ceil"]!.bool!)
      ]
    },
    "avg_pool2d": { a in
      [
        "y": a.x.averagePool2D(
          kernel: a.record.extent("kernel"), stride: a.record.extent("stride"),
          padding: a.record.extent("padding"), ceil: a.record.attributes["ceil"]!.bool!)
      ]
    },
    "adaptive_avg_pool2d": { a in
      let size = a.record.extent("output")
      return ["y": a.x.adaptiveAveragePool2D(height: size.height, width: size.width)]
    },
    "adaptive_max_pool2d": { a in
      let size = a.record.extent("output")
      return ["y": a.x.adaptiveMaxPool2D(height: size.height, width: size.width)]
    },
    "interpolate": { a in
      let size = a.record.extent("size")
      let isNearest = a.record.attributes["mode"] == "nearest"
      return [
        "y": isNearest
          ? a.x.nearest(height: size.height, width: size.width)
          : a.x.bilinear(height: size.height, width: size.width)
      ]
    },
    "channel_shuffle": { a in ["y": a.x.channelShuffle(groups: a.record.integer("groups"))] },
    "squeeze_excitation": { a in
      [
        "y": a.layer { scope in
          let layer = SqueezeExcitation(
            scope, ("se1", "se2"), channels: a.record.integer("channels"),
            squeezed: a.record.integer("squeeze"))
          return { layer(a.x, $0) }
        }
      ]
    },
    "attention": { a in
      [
        "y": a.layer { scope in
          let layer = Attention(scope, width: a.record.integer("dim"), heads: a.record.integer("heads"))
          return { layer(a.x, $0) }
        }
      ]
    },
    "talking_heads": { a in
      [
        "y": a.layer { scope in
          let layer = Attention(
            scope, width: a.record.integer("dim"), heads: a.record.integer("heads"), talking: true)
          return { layer(a.x, $0) }
        }
      ]
    },
    "class_attention": { a in
      [
        "y": a.layer { scope in
          let layer = ClassAttention(
            scope, width: a.record.integer("dim"), heads: a.record.integer("heads"))
          return { layer(a.x, $0) }
        }
      ]
    },
    "vit_block": { a in
      let width = a.record.integer("dim")
      return [
        "y": a.layer { scope in
          let layer = TransformerBlock(
            scope, width: width, heads: a.record.integer("heads"),
            hidden: Int(Double(width) * a.record.double("mlp_ratio")))
          return { layer(a.x, $0) }
        }
      ]
    },
    "cait_block": { a in
      let width = a.record.integer("dim")
      return [
        "y": a.layer { scope in
          let layer = CaiTBlock(
            scope, width: width, heads: a.record.integer("heads"),
            hidden: Int(Double(width) * a.record.double("mlp_ratio")), start: 1)
          return { layer(a.x, $0) }
        }
      ]
    },
    "cait_class_block": { a in
      let width = a.record.integer("dim")
      return [
        "y": a.layer { scope in
          let layer = CaiTClassBlock(
            scope, width: width, heads: a.record.integer("heads"),
            hidden: Int(Double(width) * a.record.double("mlp_ratio")), start: 1)
          return { layer(a["cls"], a.x, $0) }
        }
      ]
    },
    "drop_path": { a in
      [
        "y": a.x.droppingRows(
          keeping: a["mask"].doubles.map { $0 != 0 }, probability: a.record.double("keep"))
      ]
    },
    "dropout": { a in ["y": a.x * a["mask"] / (1 - a.record.double("p"))] },
    "cross_entropy": { a in
      let smoothing = a.record.double("label_smoothing")
      let losses = a.x.crossEntropy(labels: a.integers["target"]!, smoothing: smoothing)
      return ["y": a.record.attributes["reduction"] == "mean" ? losses.mean() : losses]
    },
    "cross_entropy_soft": { a in
      ["y": -(a.x.logSoftmax() * a["target"]).rowSums().mean()]
    },
    "kl_distill": { a in
      guard !a.record.inputs.contains("teacher") else {
        let temperature = a.record.double("temperature")
        let p = (a["teacher"] / temperature).logSoftmax()
        let q = (a.x / temperature).logSoftmax()
        return ["y": (p.exp() * (p - q)).rowSums() * (temperature * temperature)]
      }
      let losses = a.x.klDivergence(
        from: a["teacher"], temperature: a.record.double("temperature"))
      return ["y": a.record.attributes["reduction"] == "batchmean" ? losses.mean() : losses]
    },
    "mse_per_sample": { a in ["y": (a.x - a["teacher"]).square().rowMeans()] },
    "cosine_similarity": { a in
      let (x, y) = (a.x, a["teacher"])
      let norms = x.square().rowSums().squareRoot() * y.square().rowSums().squareRoot()
      return ["y": (x * y).rowSums() / norms]
    },
  ]

  /// An operation over the last axis, applied along another one of three.
  private static func alongAxis(_ axis: Int, _ x: Tensor, _ body: (Tensor) -> Tensor) -> Tensor {
    axis == x.shape.rank - 1 ? body(x) : body(x.swappingLastAxes()).swappingLastAxes()
  }
}

internal import Specs

/// Files that people take for safetensors, named by their first bytes, each with what to do.
enum ForeignWeights {
  /// A sentence about a file of another kind; nil for what may be a safetensors file.
  static func sentence(_ bytes: [UInt8], _ path: String) -> String? {
    // A length of 640 bytes begins as a pickle does, so a header after the length decides first.
    if bytes.count > 8, bytes[7] == 0, bytes[8] == UInt8(ascii: "{") { return nil }
    func begins(_ text: String) -> Bool { bytes.starts(with: text.utf8) }
    let start = String(decoding: bytes.prefix(512), as: UTF8.self)
    if begins("version https://git-lfs") {
      return
        "\(path) is a pointer of Git LFS, not the file itself. Fetch it: `git lfs pull` in its repository."
    }
    let lowered = start.lowercased().drop { $0.isWhitespace }
    if lowered.hasPrefix("<!doctype") || lowered.hasPrefix("<html") {
      return
        "\(path) is a web page, not weights: the download gave a page instead of the file. Take the link to "
        + "the file itself; on Hugging Face it has /resolve/ where the page has /blob/."
    }
    if bytes.starts(with: [0x93]), start.dropFirst().hasPrefix("NUMPY") {
      return "\(path) is one NumPy array. A teacher needs all arrays of a network, with their names."
    }
    if bytes.starts(with: [0x89, 0x48, 0x44, 0x46]) {
      return
        "\(path) is an HDF5 file, as Keras writes it. Its layouts differ from PyTorch's and are not read."
    }
    if begins("GGUF") { return "\(path) is a GGUF file of a language model, which is not read." }
    if bytes.starts(with: [0x50, 0x4B, 3, 4]) {
      if start.contains(".npy") {
        return "\(path) is a NumPy archive (.npz). Convert it where NumPy is installed: "
          + #"python3 -c "import sys, numpy; from safetensors.numpy import save_file; "#
          + #"save_file(dict(numpy.load(sys.argv[1])), sys.argv[2])" \#(path) OUT.safetensors"#
      }
      return conversion(path)
    }
    if bytes.starts(with: [0x80, 2]) || bytes.starts(with: [0x80, 4]) || bytes.starts(with: [0x80, 5]) {
      return conversion(path)
    }
    // A model in ONNX is a protocol buffer: its version, then the name of the program that wrote it.
    if bytes.count > 16, bytes[0] == 8, bytes[1] < 32, bytes[2] == 18 || bytes[2] == 58 {
      return "\(path) is probably an ONNX model, which holds a graph and no state dictionary. "
        + "Export the weights from the program that has the network."
    }
    if bytes.isEmpty { return "\(path) is empty." }
    return nil
  }

  private static func conversion(_ path: String) -> String {
    """
    \(path) is a checkpoint of PyTorch (.pth, .pt), which can hold code and is not read here. Convert it with PyTorch:
    cat > convert.py <<'END'
    \(script)
    END
    python3 convert.py \(path) OUT.safetensors
    Only for a file whose author you trust: where PyTorch refuses it for what it holds beside weights, add --trusted \
    (weights_only=False), which runs code that the file may hold.
    """
  }

  /// Takes the state dictionary out of what training programs save, copies shared tensors
  /// apart, and says what it took.
  static let script = """
    import pickle, sys, torch
    from safetensors.torch import save_file

    source, target = sys.argv[1:3]
    try:
        data = torch.load(source, map_location="cpu", weights_only="--trusted" not in sys.argv)
    except pickle.UnpicklingError as error:
        sys.exit(source + " holds more than weights; if you trust its author, add --trusted: " + str(error).split(". ")[0])
    except (AttributeError, ModuleNotFoundError) as error:
        sys.exit(source + " needs the program that wrote it: run this in that program's folder: " + str(error))
    path = []
    while True:
        if hasattr(data, "state_dict"):
            data = data.state_dict()
        if not hasattr(data, "items"):
            data = vars(data)
        tensors = {str(k): v for k, v in data.items() if torch.is_tensor(v)}
        if len(tensors) > 1:
            break
        names = [k for k in data if hasattr(data[k], "items") or hasattr(data[k], "state_dict")]
        names = [k for k in names if "optim" not in str(k) and "sched" not in str(k)]
        if not names:
            sys.exit("no state dictionary in " + source)
        usual = "state_dict model_state_dict model net network student weights params state_dict_ema model_ema ema".split()
        found = [k for k in usual if k in names] or names
        if len(names) > 1:
            print("took", found[0], "of", ", ".join(map(str, names)))
        path.append(str(found[0]))
        data = data[found[0]]
    save_file({k: v.detach().clone().contiguous() for k, v in tensors.items()}, target)
    print(len(tensors), "tensors of", ".".join(path) or "the file", "are in", target)
    """
}

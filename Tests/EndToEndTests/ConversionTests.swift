import Foundation
import Networks
import TestSupport
import Testing

/// The conversion that `import` prints for PyTorch's own files, on what training programs save.
@Suite struct ConversionTests {
  /// Writes a file a layout and prints the name of each, `safe` or `trusted`, and how many tensors it has.
  private static let make = """
    import argparse, collections, numpy, torch
    from theirs import Net
    torch.manual_seed(1)
    net = Net(); s = net.state_dict(); opt = torch.optim.SGD(net.parameters(), 0.1)
    cases = {
      "plain": (s, 1), "ordered": (collections.OrderedDict(s), 1), "lightning": ({"state_dict": s, "epoch": 3}, 1),
      "tutorial": ({"model_state_dict": s, "optimizer_state_dict": opt.state_dict()}, 1),
      "reference": ({"model": s, "optimizer": opt.state_dict(), "lr_scheduler": {"last_epoch": 1}}, 1),
      "kuangliu": ({"net": s, "acc": 93.1, "epoch": 200}, 1), "network": ({"network": s}, 1),
      "distilled": ({"student": s, "teacher": s}, 1),
      "timm": ({"state_dict_ema": s, "state_dict": s, "arch": "resnet8"}, 1), "nested": ({"checkpoint": {"model": s}}, 1),
      "namespace": ({"args": argparse.Namespace(lr=0.1), "model": s}, 0),
      "scalar": ({"best": numpy.float64(93.2), "state_dict": s}, 0), "module": (net, 0), "inside": ({"model": net}, 0),
      "tied": ({**s, "copy": s["fc.weight"]}, 1), "half": ({k: v.half() if v.is_floating_point() else v for k, v in s.items()}, 1),
      "parameters": ({"weights": {k: torch.nn.Parameter(v) if v.is_floating_point() else v for k, v in s.items()}}, 1),
      "transposed": ({k: v.t().contiguous().t() if v.dim() == 2 else v for k, v in s.items()}, 1),
    }
    torch.save(s, "expected")
    for name, (data, safe) in cases.items():
        torch.save(data, name + ".pth")
        print(name, "safe" if safe else "trusted")
    """

  private static let theirs = """
    import torch
    class Net(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.conv1 = torch.nn.Conv2d(1, 4, 3); self.bn1 = torch.nn.BatchNorm2d(4); self.fc = torch.nn.Linear(4, 3)
    """

  private static let compare = """
    import sys, torch
    from safetensors.torch import load_file
    wanted = torch.load("expected")
    for name in sys.argv[1:]:
        found = load_file(name + ".safetensors")
        same = all(torch.allclose(found[k].float(), v.float(), atol=1e-3) for k, v in wanted.items())
        print(name if same else "other: " + name)
    """

  @Test(.enabled(if: Available.python("torch", "safetensors", "numpy"), "PyTorch writes and converts"))
  func `takes the weights out of every usual layout, and runs code of a file only when it is told to`() throws
  {
    let python = try #require(Python.interpreter(with: ["torch", "safetensors", "numpy"]))
    let sweep = try TinySweep()
    defer { sweep.remove() }
    try sweep.write(Self.theirs, to: "theirs.py")
    let made = try Python.run(python, ["-c", Self.make], in: sweep.folder)
    try #require(made.status == 0, "\(made.out)")
    let cases = made.out.split(separator: "\n").map { $0.split(separator: " ").map(String.init) }
    #expect(cases.count == 18)
    // The script is what the program prints.
    let refused = try Program.run(
      "import", "plain.pth", "--network", "resnet8", "--dataset", "synthetic-1x8x8-3", in: sweep.folder)
    #expect(refused.status == 65)
    let script = try #require(
      refused.talk.split(separator: "<<'END'\n").last?.split(separator: "\nEND\n").first)
    try sweep.write(String(script), to: "convert.py")
    for line in cases {
      let (name, kind) = (line[0], line[1])
      let files = ["convert.py", "\(name).pth", "\(name).safetensors"]
      let careful = try Python.run(python, files, in: sweep.folder)
      #expect((careful.status == 0) == (kind == "safe"), "\(name): \(careful.out)")
      if kind == "trusted" {
        #expect(careful.out.contains("--trusted"), "\(name): \(careful.out)")
        let trusting = try Python.run(python, files + ["--trusted"], in: sweep.folder)
        #expect(trusting.status == 0, "\(name): \(trusting.out)")
      }
    }
    let same = try Python.run(python, ["-c", Self.compare] + cases.map { $0[0] }, in: sweep.folder)
    #expect(same.out.split(separator: "\n").map(String.init) == cases.map { $0[0] }, "\(same.out)")
    try FileManager.default.removeItem(at: sweep.folder.appending(path: "theirs.py"))
    let alone = try Python.run(
      python, ["-B", "convert.py", "module.pth", "x.safetensors", "--trusted"], in: sweep.folder)
    #expect(alone.status != 0 && alone.out.contains("that program's folder"), "\(alone.out)")
  }
}

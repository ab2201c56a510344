import Testing

@testable import Pipeline

/// Time by which workers are watched, and the wait for room.
@Suite struct WatchTests {
  @Test func `a sleep of the machine or a clock that is set counts as one look`() {
    var watch = WatchClock()
    watch.look(at: 100)
    watch.look(at: 102)
    #expect(watch.seconds == 2)
    // Eight hours of sleep, on a clock that does not stand still.
    watch.look(at: 102 + 8 * 3600)
    #expect(watch.seconds == 7)
    watch.look(at: 50)
    #expect(watch.seconds == 7)
    watch.look(at: 52)
    #expect(watch.seconds == 9)
  }

  @Test func `a worker is silent for as long as somebody watched it, whatever its clock says`() {
    var watch = SilenceWatch()
    watch.look(at: 0)
    #expect(watch.silence(of: "a", beat: 1000) == 0, "its first look")
    for second in 1...20 { watch.look(at: Double(second)) }
    #expect(watch.silence(of: "a", beat: 1000) == 20)
    // A night's sleep is one look; a step of the clock that dates heartbeats is none.
    watch.look(at: 20 + 8 * 3600)
    #expect(watch.silence(of: "a", beat: 1000) == 25)
    #expect(watch.silence(of: "a", beat: 900) == 0, "a beat that is dated before the last one is a beat")
    #expect(watch.silence(of: "b", beat: 5) == 0)
  }

  @Test func `starts that find no room are tried again after longer and longer pauses`() {
    var pause = StartPause()
    #expect(!pause.isOn)
    #expect(pause.begin("no process left", atWork: 2)?.contains("2 are at work") == true)
    var ends: [Int] = []
    for tick in 1...200 {
      if pause.isOver(after: 0.25, atWork: 2) {
        ends.append(tick)
        #expect(pause.begin("no process left", atWork: 2) == nil, "it was said already")
      }
    }
    // 1 s, 2 s, 4 s, 8 s, 16 s.
    #expect(ends == [4, 12, 28, 60, 124])
    pause.end()
    #expect(!pause.isOn && !pause.isHopeless)
  }

  @Test func `nobody waits longer than two minutes with nobody at work`() {
    var pause = StartPause()
    _ = pause.begin("no process left", atWork: 0)
    var seconds = 0.0
    while !pause.isHopeless {
      if pause.isOver(after: 0.25, atWork: 0) { _ = pause.begin("no process left", atWork: 0) }
      seconds += 0.25
    }
    #expect(seconds == 120)
  }
}

/// Why a program died, as its log has it.
@Suite struct FailureMessageTests {
  static let logs: [(log: String, message: String)] = [
    ("epoch 1\nepoch 2\n", "epoch 2"),
    (
      "a\nTraceback (most recent call last):\n  File \"t.py\", line 3, in <module>\n    main()\nValueError: bad\n",
      "ValueError: bad"
    ),
    (
      "Error: retrying the download\nepoch 1\nepoch 2\n", "epoch 2"
    ),
    (
      "Swift/Array.swift:5: Fatal error: Index out of range\n\n*** Signal 4: Backtracing from 0x55...\n\nThread 0 crashed:\n\n0 0x01 in main\n1│ let x\nRegisters:\nrax 0x0\n",
      "Swift/Array.swift:5: Fatal error: Index out of range"
    ),
    (
      "terminate called after throwing an instance of 'std::runtime_error'\n  what():  CUDA error: out of memory\nAborted (core dumped)\n",
      "terminate called after throwing an instance of 'std::runtime_error' what():  CUDA error: out of memory"
    ),
    (
      "thread 'main' panicked at src/main.rs:4:10:\nno such file\nnote: run with `RUST_BACKTRACE=1`\n",
      "thread 'main' panicked at src/main.rs:4:10: no such file"
    ),
    (
      "panic: runtime error: index out of range\n\ngoroutine 1 [running]:\nmain.main()\n\t/x.go:5 +0x1d\nexit status 2\n",
      "panic: runtime error: index out of range"
    ),
    (
      "Exception in thread \"main\" java.lang.IllegalStateException: no card\n\tat Main.main(Main.java:3)\n",
      "Exception in thread \"main\" java.lang.IllegalStateException: no card"
    ),
    (
      "ERROR: LoadError: no such key\nStacktrace:\n [1] error(s::String)\n   @ Base ./error.jl:35\nin expression starting at t.jl:1\n",
      "ERROR: LoadError: no such key"
    ),
    (
      "/t.js:1\nthrow new Error('x')\n^\n\nError: x\n    at Object.<anonymous> (/t.js:1:7)\n    at node:internal/main:1\n\nNode.js v20.1.0\n",
      "Error: x"
    ),
    (
      "Traceback (most recent call last):\n  File \"a\", line 1\nKeyError: 'a'\n\nDuring handling of the above exception, another exception occurred:\n\nTraceback (most recent call last):\n  File \"a\", line 2\ntorch.cuda.OutOfMemoryError: CUDA out of memory.\n",
      "torch.cuda.OutOfMemoryError: CUDA out of memory."
    ),
    ("", ""),
  ]

  @Test(arguments: logs.indices)
  func `is the message, not a frame of the stack`(_ index: Int) {
    let (log, message) = Self.logs[index]
    let lines = log.split(whereSeparator: \.isNewline).map(String.init)
    #expect((FailureMessage.last(in: lines) ?? "") == message)
  }
}

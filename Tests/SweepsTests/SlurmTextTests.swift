import Specs
import Sweeps
import Testing

/// Texts recorded from Slurm 22.05.8.
@Suite struct SlurmTextTests {
  private static let listing = """
    2_0|2|0|COMPLETED|None|n1|mtkd-aaaa
    2_3|2|3|FAILED|NonZeroExitCode|n1|mtkd-aaaa
    2_9|2|9|RUNNING|None|n2|mtkd-aaaa
    3_0|3|0|PENDING|Dependency||mtkd-bbbb
    3_1|3|1|PENDING|JobHeldUser||mtkd-bbbb
    4|4|N/A|RUNNING|None|n1|mtkd-cccc
    5_0|5|0|RUNNING|None|n1|somebody-else
    6_0|6|0|BRAND_NEW|None|n1|mtkd-dddd
    """

  @Test func `a listing is read line by line, and what is not ours is passed over`() {
    let tasks = SlurmText.tasks("Welcome to the cluster\n\(Self.listing)\n2_1|2|1|RUNN")
    #expect(tasks.map(\.id) == ["2_0", "2_3", "2_9", "3_0", "3_1", "6_0"])
    #expect(tasks.map(\.state) == [.ended, .ended, .running, .pending, .pending, .unknown])
    #expect(tasks.map(\.token) == ["aaaa", "aaaa", "aaaa", "bbbb", "bbbb", "dddd"])
    #expect(tasks[2].node == "n2" && tasks[2].array == "2" && tasks[2].index == 9)
    #expect(tasks[3].reason == "Dependency")
  }

  @Test func `a word that nobody knows proves nothing`() {
    #expect(SlurmText.state("BRAND_NEW") == .unknown)
    #expect(SlurmText.state("CANCELLED by 0") == .ended)
    #expect(SlurmText.state("NODE_FAIL") == .ended)
    #expect(SlurmText.state("COMPLETING") == .running)
    #expect(SlurmText.state("") == .unknown)
  }

  @Test(
    arguments: [
      ("1", "1"), ("1;cluster", "1"), ("sbatch: warning\n33\n", "33"), ("", nil), ("Submitted", nil),
      (";cluster", nil), ("33\nsbatch: your project has 12 hours left\n", "33"), ("33;c\n\nGoodbye\n", "33"),
      ("12\n33\n", nil), ("33; call the help desk\n", nil), ("٣٣", nil),
    ] as [(String, String?)])
  func `the job number is found between a site's own lines, and cut at the cluster's name`(
    _ output: String, _ number: String?
  ) {
    #expect(SlurmText.jobNumber(output) == number)
  }

  @Test(
    arguments: [
      ("30", 1800), ("1:30", 90), ("2:00:00", 7200), ("1-12", 129600), ("1-0:30", 88200), ("1-0:0:5", 86405),
      ("UNLIMITED", nil), ("", nil), ("1:2:3:4", nil), ("-1", nil), ("1-2-3", nil),
      ("99999999999999999999", nil),
    ] as [(String, Int?)])
  func `a time reads as sbatch reads it`(_ text: String, _ seconds: Int?) {
    #expect(SiteOptions.seconds(ofTime: text) == seconds)
  }

  @Test func `facts of a site come from its configuration, or are Slurm's own`() {
    let limits = SlurmText.limits(
      """
      Configuration data as of 2026-11-23T00:33:49
      MaxArraySize            = 5
      MaxJobCount             = 10000
      MessageTimeout          = 5 sec
      MinJobAge               = 60 sec
      SLURM_VERSION           = 22.05.8
      """)
    #expect(limits.maxArraySize == 5 && limits.messageTimeout == 5 && limits.minJobAge == 60)
    #expect(limits.version == "22.05.8" && limits.quietSeconds == 20)
    #expect(SlurmText.limits("") == BatchLimits())
    let line = "JobId=33 JobName=x JobState=FAILED Reason=JobLaunchFailure ExitCode=0:53 DerivedExitCode=0:0"
    #expect(SlurmText.member("ExitCode", of: line) == "0:53")
    #expect(SlurmText.member("Nothing", of: line) == nil)
  }

  @Test(arguments: [
    "squeue: error: Unable to contact slurm controller (connect failure)",
    "slurm_load_jobs error: Unable to contact slurm controller (connect failure)",
    "sbatch: error: Batch job submission failed: Socket timed out on send/recv operation",
  ])
  func `a controller that is away is no answer`(_ complaint: String) {
    #expect(SlurmText.isUnavailable(complaint))
  }

  @Test(arguments: [
    "slurm_load_jobs error: Invalid job id specified",
    "sbatch: error: Batch job submission failed: Invalid job array specification",
    "sbatch: error: invalid partition specified: nope",
  ])
  func `a refusal is an answer`(_ complaint: String) { #expect(!SlurmText.isUnavailable(complaint)) }

  @Test func `reasons that need a person come with what to do, others do not`() {
    for reason in [
      "DependencyNeverSatisfied", "PartitionConfig", "launch_failed_requeued_held", "JobHeldUser",
      "BadConstraints",
      "AssocGrpCPUMinutesLimit", "QOSMaxJobsPerUserLimit",
    ] { #expect(SlurmText.advice(reason) != nil, "\(reason)") }
    for reason in ["None", "Priority", "Resources", "Dependency", "BeginTime", "JobArrayTaskLimit"] {
      #expect(SlurmText.advice(reason) == nil, "\(reason)")
    }
  }

  @Test func `a reason with spaces is understood as one with underscores`() {
    let listing =
      "1_0|1|0|PENDING|Nodes required for job are DOWN, DRAINED or reserved for jobs in higher priority "
      + "partitions||mtkd-abc\n1_1|1|1|DOWN, DRAINED|None||mtkd-abc\n1_2|1|2|CANCELLED, REQUEUED|None||mtkd-abc"
    let tasks = SlurmText.tasks(listing)
    #expect(tasks.map(\.state) == [.pending, .unknown, .ended])
    #expect(
      tasks.first.flatMap { SlurmText.advice($0.reason) }
        == "the nodes that it could use are down or reserved")
    #expect(SlurmText.advice("Nodes_required_for_job_are_DOWN,_DRAINED") != nil)
  }

  @Test func `a store's path is one word and no pattern, whatever is in it`() throws {
    func output(_ store: String) throws -> String? {
      let submission = BatchSubmission(token: "t", tasks: 1, program: "/p", store: store)
      return try SlurmText.script(submission, SiteOptions()).split(separator: "\n").first {
        $0.hasPrefix("#SBATCH --output=")
      }.map(String.init)
    }
    #expect(try output("/a b/r") == "#SBATCH --output='/a b/r/batches/t/log-%a'")
    #expect(try output("/it's") == #"#SBATCH --output='/it'\''s/batches/t/log-%a'"#)
    #expect(try output("/100%j") == "#SBATCH --output=/100%%j/batches/t/log-%a")
    #expect(try output("/a#b") == "#SBATCH --output='/a#b/batches/t/log-%a'")
    for path in [#"/a\b"#, "/a\nb"] { #expect(throws: SiteError.self) { try output(path) } }
  }

  @Test func `the script holds what it was asked for, word for word`() throws {
    var site = SiteOptions()
    (site.partition, site.account, site.qos, site.constraint) = ("gpu", "lab", "low", "avx2")
    (site.time, site.memory, site.cpus, site.tasksAtOnce) = ("4:00:00", "4G", 2, 3)
    (site.extra, site.exclude) = (["--mail-type=FAIL"], ["n7"])
    site.environment = ["QUOTED": "it's"]
    var submission = BatchSubmission(
      token: "abc", tasks: 4, program: "/opt/a b/mtkd-sweep", store: "/s/r")
    (submission.after, submission.exclude, submission.delay) = (["12", "13"], ["n7", "n9"], 60)
    submission.environment = ["OPENBLAS_CORETYPE": "Haswell"]
    #expect(
      try SlurmText.script(submission, site) == #"""
        #!/bin/sh
        #SBATCH --job-name=mtkd-abc
        #SBATCH --comment=abc
        #SBATCH --array=0-3%3
        #SBATCH --output=/s/r/batches/abc/log-%a
        #SBATCH --open-mode=append
        #SBATCH --cpus-per-task=2
        #SBATCH --signal=B:USR1@120
        #SBATCH --requeue
        #SBATCH --partition=gpu
        #SBATCH --account=lab
        #SBATCH --qos=low
        #SBATCH --constraint=avx2
        #SBATCH --time=4:00:00
        #SBATCH --mem=4G
        #SBATCH --exclude=n7,n9
        #SBATCH --dependency=afterany:12:13
        #SBATCH --begin=now+60
        #SBATCH --mail-type=FAIL
        exec env -i \
          ${HOME+"HOME=$HOME"} \
          ${PATH+"PATH=$PATH"} \
          ${TMPDIR+"TMPDIR=$TMPDIR"} \
          ${SLURM_CONF+"SLURM_CONF=$SLURM_CONF"} \
          ${SLURM_ARRAY_JOB_ID+"SLURM_ARRAY_JOB_ID=$SLURM_ARRAY_JOB_ID"} \
          ${SLURM_RESTART_COUNT+"SLURM_RESTART_COUNT=$SLURM_RESTART_COUNT"} \
          ${SLURMD_NODENAME+"SLURMD_NODENAME=$SLURMD_NODENAME"} \
          OPENBLAS_CORETYPE='Haswell' \
          QUOTED='it'\''s' \
          '/opt/a b/mtkd-sweep' worker --store '/s/r' \
          --batch abc --task "$SLURM_ARRAY_TASK_ID"

        """#)
  }
}

@Suite struct SiteOptionsTests {
  private func read(_ text: String) throws -> SiteOptions {
    try SiteOptions(reading: Array(text.utf8), at: "site.json")
  }

  @Test func `every key is read`() throws {
    let site = try read(
      """
      // our cluster
      { "partition": "gpu", "account": "lab", "qos": "q", "constraint": "avx2", "time": "1-0", "memory": "2G", "cpus": 4,
        "tasksAtOnce": 8, "maxTasks": 50, "chunkMinutes": 0, "leadSeconds": 60, "requeue": false, "extra": ["--nice=100"],
        "exclude": ["n1"], "environment": {"A": "b"}, "bin": "/opt/slurm/bin", "pollSeconds": 2, "retrySeconds": 1 }
      """)
    #expect(site.partition == "gpu" && site.wallSeconds == 86400 && site.cpus == 4 && !site.requeue)
    #expect(site.tasksAtOnce == 8 && site.environment == ["A": "b"] && site.bin == "/opt/slurm/bin")
    #expect(try read("{}") == SiteOptions())
  }

  @Test(arguments: [
    (#"{"partitoin": "x"}"#, "did you mean \"partition\""), (#"{"cpus": 0}"#, "cpus"),
    (#"{"cpus": "2"}"#, "cpus"),
    (#"{"time": "soon"}"#, "time"), (#"{"partition": "a\nb"}"#, "partition"),
    (#"{"extra": ["a\nb"]}"#, "extra"),
    (#"{"environment": {"A B": "c"}}"#, "environment"), ("[]", "object"), ("{", "site.json"),
  ])
  func `a mistake is named`(_ text: String, _ named: String) {
    let error = #expect(throws: SiteError.self) { try read(text) }
    #expect(error?.description.contains(named) == true, "\(error?.description ?? "")")
  }
}

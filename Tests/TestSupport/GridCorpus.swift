/// Grids in the toy vocabulary, good and bad: what the reader, the expansion and the schema say of each.
package struct GridCase: Sendable, CustomStringConvertible {
  package let name: String
  package let text: String
  /// Each problem as `line:column words`, in the order of their places; the words are part of the message.
  package let problems: [String]
  /// Who finds the problem: the reader by itself, or the expansion with the vocabulary.
  package let isStructural: Bool
  /// Whether a JSON schema can tell; false where it cannot, such as for names of networks.
  package let schemaCanTell: Bool

  package var description: String { name }
}

extension GridCase {
  private static func good(_ name: String, _ text: String) -> GridCase {
    GridCase(name: name, text: text, problems: [], isStructural: false, schemaCanTell: true)
  }

  private static func shape(
    _ name: String, _ text: String, _ problems: String..., schemaCanTell: Bool = true
  ) -> GridCase {
    GridCase(name: name, text: text, problems: problems, isStructural: true, schemaCanTell: schemaCanTell)
  }

  private static func meaning(
    _ name: String, _ text: String, _ problems: String..., schemaCanTell: Bool = false
  ) -> GridCase {
    GridCase(name: name, text: text, problems: problems, isStructural: false, schemaCanTell: schemaCanTell)
  }

  private static let head = #"{"version": 1, "name": "g", "#
  private static let run = #""base": {"student": "resnet8", "method": "aver-kd", "teachers": ["resnet14"]}"#

  package static let good: [GridCase] = [
    good("the least", head + #""base": {"student": "resnet8", "method": "baseline"}}"#),
    good(
      "comments and trailing commas",
      """
      { // a grid
        "$schema": "./grid.schema.json", "version": 1, /* of the format */ "name": "a-1_b.c", "note": "x",
        "base": { "student": "resnet8", "method": "baseline", },
      }
      """),
    good("one axis", head + run + #", "axes": {"alpha": [0, 0.5, 1]}}"#),
    good(
      "ranges",
      head + run + #", "axes": {"alpha": {"range": [0, 1, 0.25]}, "temperature": {"logspace": [1, 8, 4]}}}"#),
    good("linspace", head + run + #", "axes": {"alpha": {"linspace": [0, 1, 3]}}}"#),
    good(
      "zip",
      head + run
        + #", "zip": [{"epochs": [60, 240], "learningRate": [0.1, 0.05]}], "axes": {"alpha": [0, 1]}}"#),
    good(
      "exclude and include",
      head + run
        + #", "axes": {"alpha": [0, 1, 2]}, "exclude": [{"alpha": {"gt": 1}}, {"alpha": 0}], "include": [{"student": "resnet14"}]}"#
    ),
    good(
      "blocks",
      head + run
        + #", "blocks": [{"name": "a", "axes": {"alpha": [0, 1]}}, {"name": "b", "base": {"alpha": 1}, "seeds": [5, 7]}]}"#
    ),
    good(
      "a pool",
      head
        + #""base": {"student": "resnet8", "method": "aver-kd"}, "axes": {"teachers": {"pool": ["resnet14", "wrn-16-1"], "take": [1, 2]}}}"#
    ),
    good(
      "every subset",
      head
        + #""base": {"student": "resnet8", "method": "aver-kd"}, "axes": {"teachers": {"pool": ["resnet8", "resnet14", "wrn-16-1"], "take": 2, "choose": "all"}}}"#
    ),
    good("seeds by count", head + run + #", "seeds": {"count": 3, "first": 4}, "teacherSeeds": "perSeed"}"#),
    good(
      "a network by its parameters",
      head + #""base": {"student": {"family": "cifar_resnet", "depth": 14}, "method": "baseline"}}"#),
    good(
      "preferences",
      head + run
        + #", "run": {"workers": 2, "threadsPerRun": 4, "order": "cellMajor", "onDiverged": "stopCell", "retries": 0, "maxMinutesPerRun": 1.5}, "report": {"metric": "test.acc1", "select": "bestOnTest", "rows": ["student"], "columns": ["method"]}}"#
    ),
    good(
      "selection on held-out images",
      head
        + #""base": {"student": "resnet8", "method": "baseline", "validationImages": 10}, "report": {"select": "bestOnValidation"}}"#
    ),
    good(
      "arithmetic",
      head
        + #""base": {"student": "resnet8", "method": "baseline", "convolution": "direct"}, "axes": {"numerics": ["portable", "native"]}}"#
    ),
    good(
      "an alias", head + #""base": {"student": "resnet8", "method": "averkd", "teachers": ["resnet14"]}}"#),
    good(
      "escapes",
      head + #""note": "a \"\u00e9\ud83d\ude00\" \n", "base": {"student": "resnet8", "method": "baseline"}}"#),
  ]

  package static let bad: [GridCase] = [
    // Text
    shape("nothing at all", "", "1:1 the text ends"),
    shape("a list", "[1]", "1:1 a grid is an object"),
    shape("no closing brace", #"{"version": 1"#, "1:14 the bracket of 1:1 is still open"),
    shape("text behind", head + run + "} x", "1:108 text after the end"),
    shape("no colon", #"{"version" 1}"#, "1:12 no ':' after the name \"version\""),
    shape("a name without quotes", "{\n  version: 1}", "2:3 expected a name in quotes"),
    shape("single quotes", "{'version': 1}", "1:2 expected a name in quotes"),
    shape(
      "a name twice", "{\"version\": 1,\n \"name\": \"g\",\n \"name\": \"h\"}",
      "3:2 the name \"name\" appears twice"),
    shape("an open string", #"{"version": 1, "name": "g"#, "1:24 a string without an end"),
    shape("an open comment", "{ /* \n \"version\": 1}", "1:3 a comment without an end"),
    shape("a line break in a string", "{\"name\": \"a\nb\"}", "1:12 a control character"),
    shape("half a surrogate", #"{"name": "\ud800"}"#, "1:11 half of a surrogate pair"),
    shape("an unknown escape", #"{"name": "\q"}"#, "1:11 an unknown escape"),
    shape("a leading zero", #"{"version": 01}"#, "1:13 01 is not a JSON number"),
    shape("a number too large", #"{"version": 1e999}"#, "1:13 1e999 is not a JSON number"),
    shape("not a number", #"{"version": NaN}"#, "1:13 expected a value"),
    shape("deep nesting", String(repeating: "[", count: 100_000), "1:65 more than 64 nested brackets"),
    shape("a byte order mark", "\u{FEFF}{}", "1:1 a byte order mark"),
    shape("accents before the place", "{\"näme\": 1, \"versiön\" 1}", "1:23 no ':' after"),
    // Keys and types
    shape(
      "no version", #"{"name": "g", "base": {"student": "resnet8", "method": "baseline"}}"#,
      "1:2 there is no \"version\""),
    shape(
      "no name", #"{"version": 1, "base": {"student": "resnet8", "method": "baseline"}}"#,
      "1:2 there is no \"name\""),
    shape("another version", #"{"version": 2, "name": "g"}"#, "1:13 version 2 is not known"),
    shape(
      "a version with a point", #"{"version": 1.0, "name": "g"}"#, "1:13 version 1 is not known",
      schemaCanTell: false),
    shape("a name with a space", #"{"version": 1, "name": "my grid"}"#, "1:24 a name of a-z, 0-9"),
    shape("an unknown key", head + #""bse": {}}"#, "1:29 unknown key \"bse\"; did you mean \"base\"?"),
    shape("seed in base", head + #""base": {"seed": 3}}"#, "1:38 seeds are replicates"),
    shape("seed as axis", head + #""axes": {"seed": [1, 2]}}"#, "1:38 seeds are replicates, not an axis"),
    shape("an empty axis", head + run + ",\n \"axes\": {\"alpha\": []}}", "2:20 the axis \"alpha\" is empty"),
    shape("no axes", head + run + ",\n \"axes\": {}}", "2:10 no axes between the braces"),
    shape(
      "a single value as axis", head + run + ",\n \"axes\": {\"alpha\": 1}}", "2:20 expected a list of values"
    ),
    shape(
      "a misspelt range", head + run + ",\n \"axes\": {\"alpha\": {\"rang\": [0, 1, 1]}}}",
      "2:21 unknown key \"rang\"; did you mean \"range\"?"),
    shape(
      "a range of two", head + run + ",\n \"axes\": {\"alpha\": {\"range\": [0, 1]}}}", "2:30 three numbers"),
    shape(
      "a step that misses", head + run + ",\n \"axes\": {\"alpha\": {\"range\": [0, 1, 0.3]}}}",
      "2:30 the step 0.3 leads from 0 to 0.9, not to 1", schemaCanTell: false),
    shape(
      "a range downwards", head + run + ",\n \"axes\": {\"alpha\": {\"range\": [1, 0, 0.5]}}}",
      "2:30 a range needs first", schemaCanTell: false),
    shape(
      "a range without end", head + run + ",\n \"axes\": {\"alpha\": {\"range\": [0, 1e300, 1e-300]}}}",
      "2:30 more than 1000000 values", schemaCanTell: false),
    shape(
      "ends too far apart", head + run + ",\n \"axes\": {\"alpha\": {\"linspace\": [-1.7e308, 1.7e308, 3]}}}",
      "2:33 too far apart", schemaCanTell: false),
    shape(
      "a logarithm of zero", head + run + ",\n \"axes\": {\"alpha\": {\"logspace\": [0, 1, 3]}}}",
      "2:33 logspace needs ends above 0", schemaCanTell: false),
    shape(
      "zip of two lengths", head + run + ",\n \"zip\": [{\"epochs\": [1, 2], \"alpha\": [1]}]}",
      "2:10 the lists of a zip have one length, not epochs 2, alpha 1", schemaCanTell: false),
    shape(
      "an axis twice", head + run + ",\n \"axes\": {\"alpha\": [1]}, \"zip\": [{\"alpha\": [1]}]}",
      "2:35 there are two axes \"alpha\"", schemaCanTell: false),
    shape(
      "M larger than the pool",
      head
        + #""base": {"student": "resnet8", "method": "aver-kd"}, "axes": {"teachers": {"pool": ["resnet14"], "take": [1, 2]}}}"#,
      "1:138 take 2 of a pool of 1 teacher", schemaCanTell: false),
    shape(
      "half a teacher",
      head
        + #""base": {"student": "resnet8", "method": "aver-kd"}, "axes": {"teachers": {"pool": ["resnet14"], "take": [1.5]}}}"#,
      "1:135 expected an integer, 1 or more"),
    shape(
      "a strange choice",
      head
        + #""base": {"student": "resnet8", "method": "aver-kd"}, "axes": {"teachers": {"pool": ["resnet14"], "take": [1], "choose": 5}}}"#,
      "1:149 expected \"prefix\" or \"all\""),
    shape(
      "a filter without bounds", head + run + ",\n \"exclude\": [{\"alpha\": {}}]}",
      "2:24 no bound between the braces"),
    shape(
      "a filter of nothing", head + run + ",\n \"exclude\": [{\"alpha\": []}]}",
      "2:24 an empty list of values"),
    shape("an empty filter", head + run + ",\n \"exclude\": [{}]}", "2:14 expected a filter"),
    shape(
      "a misspelt bound", head + run + ",\n \"exclude\": [{\"alpha\": {\"lte\": 1}}]}",
      "2:25 unknown key \"lte\"; did you mean"),
    shape(
      "a bound that is a word", head + run + ",\n \"exclude\": [{\"alpha\": {\"lt\": \"one\"}}]}",
      "2:31 expected a number"),
    shape(
      "seeds with a point", head + run + ",\n \"seeds\": [1, 2.0]}", "2:15 expected a seed",
      schemaCanTell: false),
    shape("negative seeds", head + run + ",\n \"seeds\": [-1]}", "2:12 expected a seed"),
    shape("a seed twice", head + run + ",\n \"seeds\": [1, 1]}", "2:11 a seed appears twice"),
    shape("no seeds", head + run + ",\n \"seeds\": []}", "2:11 an empty list of seeds"),
    shape("zero seeds", head + run + ",\n \"seeds\": {\"count\": 0}}", "2:21 expected a \"count\" of seeds"),
    shape(
      "a first seed near the end of integers",
      head + run + ",\n \"seeds\": {\"count\": 10, \"first\": 9.2233720368547758e18}}",
      "2:34 expected a first seed", schemaCanTell: false),
    shape(
      "blocks without a name", head + run + ",\n \"blocks\": [{\"axes\": {\"alpha\": [1]}}]}",
      "2:13 a block needs a \"name\""),
    shape(
      "two blocks of one name", head + run + ",\n \"blocks\": [{\"name\": \"a\"}, {\"name\": \"a\"}]}",
      "2:37 two blocks are called \"a\"", schemaCanTell: false),
    shape("no blocks", head + run + ",\n \"blocks\": []}", "2:12 expected a list of blocks"),
    shape(
      "half a worker", head + run + ",\n \"run\": {\"workers\": 1.5}}",
      "2:21 expected an integer from 1 to 1024"),
    shape(
      "an unknown order", head + run + ",\n \"run\": {\"order\": \"random\"}}",
      "2:19 one of seedMajor, cellMajor, shortestFirst"),
    shape(
      "no thread", head + run + ",\n \"run\": {\"threadsPerRun\": 0}}",
      "2:27 expected an integer from 1 to 64"),
    shape(
      "an unknown preference", head + run + ",\n \"run\": {\"worker\": 2}}",
      "2:10 unknown key \"worker\"; did you mean \"workers\"?"),
    meaning(
      "selection without images", head + run + ",\n \"report\": {\"select\": \"bestOnValidation\"}}",
      "2:23 needs \"validationImages\"", schemaCanTell: false),
    shape("perSeeds", head + run + ",\n \"teacherSeeds\": \"perSeeds\"}", "2:18 one of fixed, perSeed"),
    shape(
      "several at once",
      "{\n \"version\": 1, \"name\": \"G\",\n \"bas\": {},\n \"seeds\": [-3],\n \"axes\": {}}",
      "2:24 a name of", "3:2 unknown key \"bas\"", "4:12 expected a seed", "5:10 no axes"),
    // Names and values
    meaning(
      "an unknown setting",
      head + "\n\"base\": {\"alfa\": 1, \"student\": \"resnet8\", \"method\": \"baseline\"}}",
      "2:10 unknown setting \"alfa\"; did you mean \"alpha\"?", schemaCanTell: true),
    meaning(
      "numerics of nobody",
      head + "\n\"base\": {\"numerics\": \"fast\", \"student\": \"resnet8\", \"method\": \"baseline\"}}",
      "2:22 numerics is \"fast\" and should be \"portable\" or \"native\"", schemaCanTell: true),
    meaning(
      "an unknown student", head + "\n\"base\": {\"student\": \"resnet9\", \"method\": \"baseline\"}}",
      "2:21 unknown network \"resnet9\"; did you mean \"resnet8\"?"),
    meaning(
      "an unknown method", head + "\n\"base\": {\"student\": \"resnet8\", \"method\": \"mktd-rl\"}}",
      "2:42 unknown method \"mktd-rl\"; did you mean \"mtkd-rl\"?"),
    meaning(
      "an unknown dataset",
      head + "\n\"base\": {\"student\": \"resnet8\", \"method\": \"baseline\", \"dataset\": \"cifar10\"}}",
      "2:65 unknown dataset \"cifar10\"; did you mean \"cifar100\"?"),
    meaning(
      "an unknown teacher",
      head + "\n\"base\": {\"student\": \"resnet8\", \"method\": \"aver-kd\", \"teachers\": [\"resnet41\"]}}",
      "2:66 unknown network \"resnet41\"; did you mean \"resnet14\"?"),
    meaning(
      "an unknown axis", head + run + ",\n\"axes\": {\"alfa\": [1]}}",
      "2:10 unknown setting \"alfa\"; did you mean", schemaCanTell: true),
    meaning(
      "an unknown setting in a filter",
      head + run + ",\n\"axes\": {\"alpha\": [1, 2]}, \"exclude\": [{\"alfa\": 1}]}",
      "2:41 unknown setting \"alfa\"", schemaCanTell: true),
    meaning(
      "an unknown method in a filter", head + run + ",\n\"exclude\": [{\"method\": \"aver-dk\"}]}",
      "2:14 unknown method \"aver-dk\"; did you mean \"aver-kd\"?"),
    meaning(
      "epochs in words",
      head + "\n\"base\": {\"student\": \"resnet8\", \"method\": \"baseline\", \"epochs\": \"ten\"}}",
      "2:64 epochs is \"ten\" and should be an integer", schemaCanTell: true),
    meaning(
      "epochs with a point",
      head + "\n\"base\": {\"student\": \"resnet8\", \"method\": \"baseline\", \"epochs\": 5.0}}",
      "2:64 epochs is 5.0 and should be an integer"),
    meaning(
      "no epochs", head + "\n\"base\": {\"student\": \"resnet8\", \"method\": \"baseline\", \"epochs\": 0}}",
      "2:64 epochs is 0 and should be an integer, 1 or more", schemaCanTell: true),
    meaning(
      "a negative alpha", head + run + ",\n\"axes\": {\"alpha\": [1, -1]}}",
      "2:23 alpha is -1 and should be a number, 0 or more", schemaCanTell: true),
    meaning(
      "warm-up with a point",
      head
        + "\n\"base\": {\"student\": \"resnet8\", \"method\": \"mtkd-rl\", \"teachers\": [\"resnet14\"], \"warmupEpochs\": 2.0}}",
      "2:95 warmupEpochs is 2.0 and should be an integer"),
    meaning(
      "an unknown choice",
      head
        + "\n\"base\": {\"student\": \"resnet8\", \"method\": \"mtkd-rl\", \"teachers\": [\"resnet14\"], \"mixing\": \"statc\"}}",
      "2:89 mixing is \"statc\" and should be \"static\" or \"dynamic\"", schemaCanTell: true),
    meaning(
      "options that do not go together",
      head
        + "\n\"base\": {\"student\": \"resnet8\", \"method\": \"mtkd-rl\", \"teachers\": [\"resnet14\"], \"mixing\": \"dynamic\", \"warmupEpochs\": 0}}",
      "2:42 dynamic mixing needs a warm-up epoch"),
    meaning(
      "no student", head + "\n\"base\": {\"method\": \"baseline\"}}", "2:20 a run here has no \"student\""),
    meaning(
      "no teachers", head + "\n\"base\": {\"student\": \"resnet8\", \"method\": \"aver-kd\"}}",
      "2:42 this method needs \"teachers\""),
    meaning(
      "teachers as a word",
      head + "\n\"base\": {\"student\": \"resnet8\", \"method\": \"aver-kd\", \"teachers\": \"resnet14\"}}",
      "2:65 should be a list of networks", schemaCanTell: true),
    meaning(
      "a filter that removes nothing",
      head + run + ",\n\"axes\": {\"alpha\": [0, 1]}, \"exclude\": [{\"alpha\": 0}, {\"alpha\": 7}]}",
      "2:54 exclude no. 2 removes no run"),
    meaning(
      "everything excluded", head + run + ",\n\"exclude\": [{\"student\": \"resnet8\"}]}",
      "2:1 the grid asks for no runs"),
    meaning(
      "ten thousand and one", head + run + ",\n\"seeds\": {\"count\": 10001}}",
      "1:2 10001 runs; more than 10000 need --yes"),
    meaning(
      "a thousand million",
      head + run
        + ",\n\"axes\": {\"alpha\": {\"range\": [0, 999, 1]}, \"temperature\": {\"range\": [1, 1000, 1]}}, \"seeds\": {\"count\": 1000}}",
      "2:1 1000000000 runs; more than 1000000 are refused"),
    meaning(
      "several of several kinds",
      head + "\n\"base\": {\"student\": \"resnet9\",\n \"method\": \"mktd-rl\",\n \"epochs\": 0}}",
      "2:21 unknown network", "3:12 unknown method", "4:12 epochs is 0", schemaCanTell: true),
  ]
}

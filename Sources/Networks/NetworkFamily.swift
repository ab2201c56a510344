public import Specs

/// Networks of one design, told apart by their parameters.
public protocol NetworkFamily: Sendable {
  associatedtype Parameters: FamilyParameters
  /// As in `architectures.csv`: `cifar_resnet`.
  static var name: String { get }
  /// The members that papers name.
  static var aliases: [NetworkAlias<Parameters>] { get }
  /// Declares the arrays of a backbone in a scope.
  ///
  /// - Throws: for images that the network does not take.
  static func build(_ scope: Scope, _ parameters: Parameters, _ image: ImageShape) throws(InvalidNetwork)
    -> any Backbone
}

/// The parameters of a family as a grid writes them.
public protocol FamilyParameters: Hashable, Sendable {
  init(_ reader: inout ParameterReader) throws(InvalidNetwork)
  /// All parameters, defaults filled in.
  var json: [String: JSONValue] { get }
}

/// A name for one member of a family.
public struct NetworkAlias<Parameters: Sendable>: Sendable {
  /// As the program writes it: `wrn-28-4`.
  public let id: String
  /// As the authors' code writes it, accepted and never written: `wrn_28_4`.
  public let published: String
  /// Of the member.
  public let parameters: Parameters

  /// - Parameters:
  ///   - id: as the program writes it.
  ///   - published: as the authors' code writes it; the same text where there is no other.
  public init(_ id: String, _ published: String, _ parameters: Parameters) {
    self.id = id
    self.published = published
    self.parameters = parameters
  }
}

/// Reads a family's parameters strictly: every complaint names the parameter and what was expected.
public struct ParameterReader: Sendable {
  private let family: String
  private let values: [String: JSONValue]
  private var read: [String] = []

  /// - Parameter values: as a grid writes them.
  public init(family: String, _ values: [String: JSONValue]) {
    self.family = family
    self.values = values
  }

  /// An integer from 1 on; `standard` where the grid names none.
  public mutating func integer(_ name: String, or standard: Int? = nil) throws(InvalidNetwork) -> Int {
    try value(name, "an integer from 1 on", standard) { value in value.integer.flatMap { $0 > 0 ? $0 : nil } }
  }

  /// A list of `count` integers from 1 on.
  public mutating func integers(_ name: String, count: Int, or standard: [Int]? = nil) throws(InvalidNetwork)
    -> [Int]
  {
    try value(name, "a list of \(count) integers from 1 on", standard) { value in
      let integers = (value.array ?? []).compactMap(\.integer).filter { $0 > 0 }
      return integers.count == count && value.array?.count == count ? integers : nil
    }
  }

  /// A list of `count` lists of integers from 1 on.
  public mutating func lists(_ name: String, count: Int) throws(InvalidNetwork) -> [[Int]] {
    try value(name, "a list of \(count) lists of integers from 1 on", nil) { value in
      let lists = (value.array ?? []).map { ($0.array ?? []).map { $0.integer ?? 0 } }
      return lists.count == count && lists.allSatisfy { !$0.isEmpty && $0.allSatisfy { $0 > 0 } }
        ? lists : nil
    }
  }

  /// True or false.
  public mutating func flag(_ name: String, or standard: Bool) throws(InvalidNetwork) -> Bool {
    try value(name, "true or false", standard, \.bool)
  }

  /// A number, 0 or more.
  public mutating func decimal(_ name: String, or standard: DecimalNumber) throws(InvalidNetwork)
    -> DecimalNumber
  {
    try value(name, "a number, 0 or more", standard) { value in
      value.number.flatMap { $0 >= DecimalNumber(0) ? $0 : nil }
    }
  }

  /// One of the words of an enum.
  public mutating func word<Word: RawRepresentable<String> & CaseIterable>(
    _ name: String, or standard: Word
  ) throws(InvalidNetwork) -> Word {
    let words = Word.allCases.map(\.rawValue).joined(separator: " or ")
    return try value(name, words, standard) { $0.string.flatMap(Word.init) }
  }

  /// Refuses parameters that nobody read.
  public func finish() throws(InvalidNetwork) {
    guard let unknown = values.keys.filter({ !read.contains($0) }).min() else { return }
    let hint = NearestName.of(unknown, among: read).map { "; did you mean '\($0)'?" } ?? ""
    throw InvalidNetwork(
      family: family,
      problem: "there is no parameter '\(unknown)'\(hint) (known: \(read.joined(separator: ", ")))")
  }

  private mutating func value<Value>(
    _ name: String, _ expected: String, _ standard: Value?, _ convert: (JSONValue) -> Value?
  ) throws(InvalidNetwork) -> Value {
    read.append(name)
    guard let value = values[name] else {
      if let standard { return standard }
      throw InvalidNetwork(family: family, problem: "the parameter '\(name)' is missing: \(expected)")
    }
    guard let converted = convert(value) else {
      throw InvalidNetwork(
        family: family, problem: "the parameter '\(name)' is \(value) and should be \(expected)")
    }
    return converted
  }
}

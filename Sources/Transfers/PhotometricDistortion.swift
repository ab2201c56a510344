internal import Tensors

/// Changes of brightness, contrast, saturation and hue, each with probability 1/2 and
/// cut to bytes in between.
///
/// Source: open-mmlab/mmsegmentation `PhotoMetricDistortion`; colours as OpenCV has them in 8
/// bits, hue from 0 to 179.
struct PhotometricDistortion {
  /// Red, green, blue, one plane after the other.
  private(set) var pixels: [UInt8]
  private let area: Int

  init(_ pixels: [UInt8]) {
    self.pixels = pixels
    area = pixels.count / 3
  }

  /// - Parameter stream: of one image of a step.
  mutating func apply(_ stream: inout RandomStream) {
    func coin() -> Bool { stream.uniform() < 0.5 }
    func factor() -> Float { 0.5 + Float(stream.uniform()) }
    if coin() { linear(1, -32 + 64 * Float(stream.uniform())) }
    let isContrastLast = coin()
    if !isContrastLast, coin() { linear(factor(), 0) }
    if coin() { saturate(factor()) }
    if coin() { turn(stream.index(below: 36) - 18) }
    if isContrastLast, coin() { linear(factor(), 0) }
  }

  /// A value cut to 0...255 and its fraction cut off.
  private static func byte(_ value: Float) -> UInt8 { UInt8(min(max(value, 0), 255)) }

  private mutating func linear(_ factor: Float, _ offset: Float) {
    let table = (0..<256).map { Self.byte(Float($0) * factor + offset) }
    for index in pixels.indices { pixels[index] = table[Int(pixels[index])] }
  }

  private mutating func saturate(_ factor: Float) {
    each { $0.saturation = Self.byte(Float($0.saturation) * factor) }
  }

  /// - Parameter steps: of two degrees.
  private mutating func turn(_ steps: Int) {
    each { $0.hue = UInt8((Int($0.hue) + steps + 180) % 180) }
  }

  private mutating func each(_ change: (inout HueColour) -> Void) {
    for place in 0..<area {
      var colour = HueColour(
        red: pixels[place], green: pixels[area + place], blue: pixels[2 * area + place])
      change(&colour)
      (pixels[place], pixels[area + place], pixels[2 * area + place]) = colour.rgb
    }
  }
}

/// Hue from 0 to 179, saturation and value from 0 to 255, in OpenCV's arithmetic.
///
/// Source: opencv/opencv `modules/imgproc/src/color_hsv.*`. Colours become these exactly as there; back they
/// are cut as its vector code does, which its code for the last pixels of a row rounds.
struct HueColour: Equatable {
  var hue: UInt8
  var saturation: UInt8
  var value: UInt8

  init(hue: UInt8, saturation: UInt8, value: UInt8) {
    (self.hue, self.saturation, self.value) = (hue, saturation, value)
  }

  init(red: UInt8, green: UInt8, blue: UInt8) {
    let (r, g, b) = (Int(red), Int(green), Int(blue))
    let top = max(r, g, b)
    let spread = top - min(r, g, b)
    let angle = top == r ? g - b : top == g ? b - r + 2 * spread : r - g + 4 * spread
    let turned = (angle * Self.hueShares[spread] + 2048) >> 12
    hue = UInt8(turned < 0 ? turned + 180 : turned)
    saturation = UInt8((spread * Self.shares[top] + 2048) >> 12)
    value = UInt8(top)
  }

  /// 255 / i and 30 / i in 4096ths.
  private static let shares = (0..<256).map {
    $0 == 0 ? 0 : Int((Double(255 << 12) / Double($0)).rounded(.toNearestOrEven))
  }
  private static let hueShares = (0..<256).map {
    $0 == 0 ? 0 : Int((Double(180 << 12) / (6 * Double($0))).rounded(.toNearestOrEven))
  }

  var rgb: (UInt8, UInt8, UInt8) {
    let (s, v) = (Float(saturation) * Float(1 / 255.0), Float(value) * Float(1 / 255.0))
    let turned = Float(hue) * Float(6 / 180.0)
    let sector = turned.rounded(.down)
    let part = turned - sector
    func byte(_ share: Float) -> UInt8 { UInt8(min(max(v * share * 255, 0), 255)) }
    let (most, least) = (byte(1), byte(1 - s))
    let (falling, rising) = (byte(1 - s * part), byte(1 - s * (1 - part)))
    switch Int(sector) % 6 {
    case 0: return (most, rising, least)
    case 1: return (falling, most, least)
    case 2: return (least, most, rising)
    case 3: return (least, falling, most)
    case 4: return (rising, least, most)
    default: return (most, least, falling)
    }
  }
}

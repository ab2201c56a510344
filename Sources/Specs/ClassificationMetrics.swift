/// The metrics that the classification task declares, and the names under which it reports them.
///
/// This is the one place that knows them: whoever needs "the metric of a run" asks a sweep's
/// `MetricDescriptions` for its headline.
package enum ClassificationMetrics {
  /// The set of images that a metric is measured on.
  package enum Split: String, CaseIterable, Sendable { case train, test, validation }

  /// The accuracy where the set of images is known from elsewhere.
  package static let accuracyKey = "acc1"
  /// The share of images whose label has the largest logit, in percent.
  package static func accuracy(_ split: Split) -> String { "\(split.rawValue).\(accuracyKey)" }
  /// The share of images whose label is among the five largest logits, in percent;
  /// reported from ten classes on.
  package static func topFive(_ split: Split) -> String { "\(split.rawValue).acc5" }
  /// The mean loss: cross-entropy on images that measure, the method's whole loss on
  /// those that train; in nats.
  package static func loss(_ split: Split) -> String { "\(split.rawValue).loss" }
  /// The expected calibration error (Guo et al. 2017, fifteen bins of equal width), in percent.
  package static func calibration(_ split: Split) -> String { "\(split.rawValue).ece" }
  /// The share of images for which the student and a teacher, counted from 0, name the same class, in
  /// percent; measured on demand.
  package static func agreement(_ split: Split, teacher: Int) -> String {
    "\(split.rawValue).agreement.\(teacher)"
  }
  /// What a grid says for a metric that is measured on demand, such as `"agreement": true`; nil
  /// for one that every run has.
  package static func request(for name: String) -> String? {
    let isAgreement = Split.allCases.contains { split in
      let prefix = "\(split.rawValue).agreement."
      return name.hasPrefix(prefix) && Int(name.dropFirst(prefix.count)) != nil
    }
    return isAgreement ? "\"agreement\": true" : nil
  }
  /// The accuracy of a teacher, counted from 0, on the images that the student trains on, in percent.
  package static func teacherAccuracy(_ teacher: Int) -> String { "teacher.\(accuracyKey).\(teacher)" }
  /// A number of the run's best epoch among those of the whole run.
  package static func best(_ name: String) -> String { "best.\(name)" }

  /// How many images a network was measured on.
  package static func images(_ split: Split) -> String { "\(split.rawValue).images" }
  /// Whether a metric is a share of the test images, so that its binomial standard error means something.
  package static func isShareOfTestImages(_ name: String) -> Bool {
    name == accuracy(.test) || name == topFive(.test)
  }

  /// Fewer classes have no accuracy among five.
  package static let fewestClassesForTopFive = 10

  /// What stands for a run.
  package static let headline = MetricDescription(
    accuracy(.test), title: "accuracy", unit: "%", isHigherBetter: true, isHeadline: true)

  /// All that a run may report.
  ///
  /// - Parameter teachers: the size of the largest pool.
  package static func descriptions(teachers: Int = 0) -> [MetricDescription] {
    func word(_ split: Split) -> String {
      split == .test ? "" : "\(split.rawValue == "train" ? "training" : "validation") "
    }
    var metrics = [headline]
    for split in Split.allCases {
      let word = word(split)
      if split != .test {
        metrics.append(
          MetricDescription(accuracy(split), title: "\(word)accuracy", unit: "%", isHigherBetter: true))
      }
      metrics.append(
        MetricDescription(loss(split), title: "\(word)loss", unit: "nats", isHigherBetter: false))
      guard split != .train else { continue }
      metrics += [
        MetricDescription(topFive(split), title: "\(word)top-5 accuracy", unit: "%", isHigherBetter: true),
        MetricDescription(images(split), title: "\(word)images", unit: "images"),
        MetricDescription(
          calibration(split), title: "\(word)expected calibration error", unit: "%", isHigherBetter: false),
      ]
      metrics += (0..<teachers).map {
        MetricDescription(
          agreement(split, teacher: $0), title: "\(word)agreement with teacher \($0 + 1)", unit: "%",
          isHigherBetter: true)
      }
    }
    metrics += ["train.task", "train.logit"].map {
      MetricDescription($0, unit: "nats", isHigherBetter: false)
    }
    metrics.append(MetricDescription("train.feature", isHigherBetter: false))
    metrics += (0..<teachers).map {
      MetricDescription(
        teacherAccuracy($0), title: "accuracy of teacher \($0 + 1)", unit: "%", isHigherBetter: true)
    }
    return metrics
  }
}

/// The outcome of a probe over real sockets.
public enum LabMeasurement: Hashable, Sendable {
    /// The one who was meant answered.
    case answered
    /// Somebody else answered: routing or translation is wrong.
    case answeredByOther(String)
    /// The packet arrived, but nobody serves the port: a fault of the lab.
    case refused
    /// The kernel found no way; its words.
    case unreachable(String)
    /// Nothing came back: dropped on the way.
    case silent

    /// Whether this is what a prediction says. Only silence is a drop: a refused probe has reached the other end.
    public func agrees(with prediction: LabPrediction) -> Bool {
        prediction.passes ? self == .answered : self == .silent
    }

    /// For people.
    public var summary: String {
        switch self {
        case .answered: "answered"
        case .answeredByOther(let name): "answered by \(name.isEmpty ? "somebody else" : name)"
        case .refused: "refused (it arrived, but nobody serves the port)"
        case .unreachable(let words): "no way there (\(words))"
        case .silent: "no answer"
        }
    }
}

extension LabMeasurement {
    /// Whether this is what a prediction about a Service says: an answer of an endpoint that allows it, silence, or, without
    /// endpoints, a refusal at once.
    public func agrees(with prediction: LabServicePrediction) -> Bool {
        switch (prediction.verdict, self) {
        case (.allow, .answeredByOther(let name)), (.mixed, .answeredByOther(let name)):
            prediction.answering.contains(name)
        case (.deny, .silent), (.l7, .silent), (.mixed, .silent), (.rejected, .refused): true
        case (.allow, .answered), (.allow, .refused), (.allow, .unreachable), (.allow, .silent), (.deny, _), (.l7, _),
            (.mixed, .answered), (.mixed, .refused), (.mixed, .unreachable), (.rejected, _):
            false
        }
    }
}

/// The outcome of a probe over real sockets.
public enum LabMeasurement: Hashable, Sendable {
    /// The one who was meant answered.
    case answered
    /// Somebody else answered: routing or translation is wrong.
    case answeredByOther(String)
    /// A request was answered with a refusal: `403`, `REFUSED`, `reset`.
    case denied(String)
    /// A reset or port-unreachable: nobody serves the port, a fault of the lab; or the datapath, where L7 rules are not in force.
    case refused
    /// The kernel found no way; its words.
    case unreachable(String)
    /// Nothing came back: dropped on the way.
    case silent

    /// Whether this is what a prediction says. Only silence is a drop: a refused probe has reached the other end. Where only L7 rules
    /// match, what is no request must not get to the server; how it ends is open.
    public func agrees(with prediction: LabPrediction) -> Bool {
        if prediction.needsRequest { return !reachedServer }
        return prediction.passes ? self == .answered : self == .silent
    }

    /// Whether some server of the lab has answered: not the proxy, which has no name.
    private var reachedServer: Bool {
        switch self {
        case .answered: true
        case .answeredByOther(let name): name != Responder.nobody
        case .denied, .refused, .unreachable, .silent: false
        }
    }

    /// For people.
    public var summary: String {
        switch self {
        case .answered: "answered"
        case .answeredByOther(let name): "answered by \(name.isEmpty ? "somebody else" : name)"
        case .denied(let how): "denied (\(how))"
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
        case (.l7, _): !reachedServer
        case (.deny, .silent), (.mixed, .silent), (.rejected, .refused): true
        case (.allow, .answered), (.allow, .denied), (.allow, .refused), (.allow, .unreachable), (.allow, .silent),
            (.deny, _), (.mixed, .answered), (.mixed, .denied), (.mixed, .refused), (.mixed, .unreachable),
            (.rejected, _):
            false
        }
    }
}

extension LabMeasurement {
    /// Whether this is what a prediction about an attempt says.
    public func agrees(with prediction: LabRequestPrediction) -> Bool {
        switch (prediction, self) {
        case (.answered, .answered), (.denied, .denied), (.dropped, .silent): true
        case (.answered, _), (.denied, _), (.dropped, _): false
        }
    }
}

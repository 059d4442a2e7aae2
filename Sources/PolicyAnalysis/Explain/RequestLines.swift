import PolicyIR

extension RequestExplanation {
    /// `DENIED shop/web -> shop/db TCP 80: PUT /cart, by the ingress L7 rules of shop/db`, for an allowed flow.
    func headline(_ flow: Flow) -> String {
        if let endedField { return "DENIED \(flow): \(request), because its Connection names \(endedField)" }
        guard let refusing = sides.first(where: { $0.answer == .denied }) else { return "ALLOWED \(flow): \(request)" }
        return "DENIED \(flow): \(request), by the \(refusing.direction) L7 rules of \(refusing.subject)"
    }

    /// The request as text: its verdict, then each end whose rules were evaluated.
    public var lines: [String] { styledLines.map(\.text) }

    /// The same where L7 rules determine the verdict; `nil` where the connection does.
    var decidingLines: [String]? { sides.isEmpty && endedField == nil ? nil : lines }

    var styledLines: [ExplanationLine] {
        let head = ExplanationLine(.side, 0, "\(request): \(isPermitted ? "allow" : "deny")")
        if let endedField {
            let why =
                "its Connection names \(endedField), which rules ask for or write: the next proxy takes that field out"
            return [head, ExplanationLine(.reason, 2, why)] + sides.flatMap(\.styledLines)
        }
        if sides.isEmpty {
            return [
                head, ExplanationLine(.reason, 2, isPermitted ? "no L7 rule applies" : "its connection is denied"),
            ]
        }
        return [head] + sides.flatMap(\.styledLines)
    }
}

extension RequestExplanation.Side {
    fileprivate var styledLines: [ExplanationLine] {
        let end = "\(direction) of \(subject): "
        switch answer {
        case .permitted(let origins, let actions):
            return [ExplanationLine(.reason, 2, end + "allowed by")]
                + origins.map { ExplanationLine(.rule, 4, "\($0)", excerpt: $0.location) }
                + actions.map { ExplanationLine(.reason, 4, "then \($0)") }
        case .denied:
            return [ExplanationLine(.reason, 2, end + "no rule allows it")]
                + nearMisses.enumerated().flatMap { index, miss in
                    [ExplanationLine(.rule, 4, "\(miss.origin)", excerpt: index == 0 ? miss.origin.location : nil)]
                        + miss.failed.enumerated().map {
                            ExplanationLine(.failure, 6, ($0 == 0 ? "but " : "and ") + $1.text)
                        }
                } + (omitted > 0 ? [ExplanationLine(.reason, 4, "and \(omitted) more")] : [])
        }
    }
}

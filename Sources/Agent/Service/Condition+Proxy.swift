import BPFEmit

extension Condition {
    /// Pods have rules about HTTP requests, and no proxy serves that decides them; `nil`: nobody misses one.
    static func proxyMissing(_ image: NodeImage) -> Condition? {
        let pods = image.podsWithHTTPRules
        guard pods > 0 else { return nil }
        return Condition(
            kind: .proxyMissing, subject: "proxy",
            message:
                "no `netpold proxy` serves, and \(pods == 1 ? "1 pod has" : "\(pods) pods have") rules about HTTP requests: what "
                + "these would allow is dropped (l7 unavailable); it runs beside an agent with --l7-proxy")
    }
}

extension NodeImage {
    /// How many pods have rules about HTTP requests. (Those about DNS the kernel decides over UDP.)
    fileprivate var podsWithHTTPRules: Int {
        let subjects = Set(
            subjects.lazy.filter { $0.ingress.hasHTTPRules || $0.egress.hasHTTPRules }.map(\.key))
        return subjects.isEmpty ? 0 : endpoints.count { subjects.contains($0.subject) }
    }
}

extension PolicyImage {
    fileprivate var hasHTTPRules: Bool {
        bits.contains { bit in
            if case .http? = bit.l7 { bit.isL7 } else { false }
        }
    }
}

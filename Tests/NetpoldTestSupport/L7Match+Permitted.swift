public import PolicyIR

extension L7Match {
    /// What each of its elements permits, in words, wherever it is written.
    public var permitted: [String] {
        switch self {
        case .http(let rules): rules.isEmpty ? ["any request"] : rules.map { "\($0.value)" }
        case .dns(let names): names.isEmpty ? ["any query"] : names.map { "\($0.value)" }
        case .serverNames(let names): names.map { "server name \($0.value)" }
        }
    }
}

public import HTTPScan

/// Why what a server sends is not forwarded.
public enum ResponseFault: Hashable, Sendable {
    /// It is not exactly HTTP.
    case refused(Refusal)
    /// More than `ScanLimits.interims` interim responses (1xx) before a response.
    case interims
    /// No request was sent that it could answer.
    case unasked

    /// The name in logs.
    public var name: String {
        switch self {
        case .refused(let refusal): refusal.rawValue
        case .interims: "interim-responses"
        case .unasked: "unasked-response"
        }
    }
}

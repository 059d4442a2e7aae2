public import PolicyIR

/// Something that decides requests in flows that neither end denies: loaded programs and a running proxy.
public protocol RequestAnswerer {
    /// Whether a request gets through to the receiver; `nil` when this cannot be decided.
    ///
    /// - Throws: when the flow cannot be decided; the error's description is shown.
    func permits(_ request: L7Request, in flow: Flow) throws -> Bool?
}

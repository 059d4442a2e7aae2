import CNetpoldABI

/// Where the `skb->cb` registers of netpold_abi.h lie in the context of a program (`struct __sk_buff`).
package enum ControlBlock {
    /// Offset of `cb[0]`, in bytes.
    package static let start: Int16 = 48
    /// Number of 32-bit registers.
    package static let count = 5

    static let endpoint = offset(NP_CB_ENDPOINT)
    static let identity = offset(NP_CB_IDENTITY)
    static let traffic = offset(NP_CB_TRAFFIC)
    static let verdict = offset(NP_CB_VERDICT)
    static let base = offset(NP_CB_BASE)

    private static func offset(_ register: Int32) -> Int16 { start + 4 * Int16(register) }
}

/// What a traffic-control program returns (`linux/pkt_cls.h`).
enum TrafficControlAction {
    /// TC_ACT_OK. What a probed program returns.
    static let ok: Int32 = 0
    /// TC_ACT_SHOT.
    static let shot: Int32 = 2
}

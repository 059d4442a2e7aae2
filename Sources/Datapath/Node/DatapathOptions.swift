public import BPFEmit
import CNetpoldABI
public import PolicyIR

/// How an instance of the datapath is set up.
public struct DatapathOptions: Sendable {
    /// How programs are attached.
    public var attachment: AttachmentStyle
    /// Size of the flow table in sets of `NP_FLOW_WAYS` flows, 256 bytes each, taken at once: a power of two, at most
    /// `NP_MAX_FLOW_SETS`. Pinned maps keep the size they have.
    public var flowSets: Int
    /// Where the maps and links are pinned; `nil` for a private instance that ends with its owner.
    public var pins: PinPath?
    /// Whether packets of pods to Services are translated.
    public var services: ServiceMode = .off
    /// Where the L7 proxy lives; `nil` for a node without: L7 flows are refused.
    public var proxy: ProxyPlace?
    /// Whether flows between pods of the node may go past its stack.
    public var fastPath = FastPathMode.off
    /// How the node's own policies are enforced.
    public var host = HostSettings()
    /// Whether policies of the node are asked though `host` is off: by whoever writes np_host itself.
    package var asksHost = false
    /// The object that is loaded in place of the one in this binary: that of another version, in tests.
    package var object: [UInt8]?

    /// Options; `nil` for `flowSets` stands for `NP_MAX_FLOW_SETS`.
    public init(pins: PinPath?, attachment: AttachmentStyle = .automatic, flowSets: Int? = nil) {
        self.pins = pins
        self.attachment = attachment
        self.flowSets = flowSets ?? Int(NP_MAX_FLOW_SETS)
    }
}

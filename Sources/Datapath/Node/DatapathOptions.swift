public import BPFEmit
import CNetpoldABI

/// How an instance of the datapath is set up.
public struct DatapathOptions: Sendable {
    /// How programs are attached.
    public var attachment: AttachmentStyle
    /// Flows that can be remembered; about 150 bytes each, taken at once. Pinned maps keep the size they have.
    public var conntrackEntries: Int
    /// Where the maps and links are pinned; `nil` for a private instance that ends with its owner.
    public var pins: PinPath?
    /// Whether packets of pods to Services are translated.
    public var services: ServiceMode = .off
    /// The object that is loaded in place of the one in this binary: that of another version, in tests.
    package var object: [UInt8]?

    /// Options; `nil` for `conntrackEntries` stands for `NP_MAX_CONNTRACK`.
    public init(pins: PinPath?, attachment: AttachmentStyle = .automatic, conntrackEntries: Int? = nil) {
        self.pins = pins
        self.attachment = attachment
        self.conntrackEntries = conntrackEntries ?? Int(NP_MAX_CONNTRACK)
    }
}

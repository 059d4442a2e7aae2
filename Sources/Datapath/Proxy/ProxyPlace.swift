import Glibc
import NetTypes
import Support

/// Where the L7 proxy of an instance lives: a network namespace of its own, joined to the node's by a veth pair.
public struct ProxyPlace: Hashable, Sendable {
    /// The folder of all instances' namespaces; not one in which pods' namespaces are looked for.
    public static let systemFolder = "/run/netpold"

    /// The instance's name.
    public let instance: String
    /// The folder in which the namespace is mounted.
    public let folder: String

    /// The place of an instance.
    public init(instance: String, folder: String = systemFolder) {
        self.instance = instance
        self.folder = folder
    }

    /// The path at which the namespace is mounted.
    public var namespace: String { "\(folder)/\(instance).proxy-netns" }

    /// Whether an agent has made the place, and pinned the map by which flows come to it.
    public var isMade: Bool {
        // A plain file until the namespace is mounted there; then it is of another file system than its folder.
        guard let pins = try? PinPath(instance: instance), let here = try? FileIdentity(of: folder),
            let there = try? FileIdentity(of: namespace)
        else { return false }
        return here.device != there.device && access("\(pins.folder)/np_listeners", F_OK) == 0
    }

    /// The name of the pair's end in the node's namespace: instances may share that.
    public var interface: String {
        let digits = String(number, radix: 16)
        return "np-" + String(repeating: "0", count: 8 - digits.count) + digits
    }

    /// The Ethernet addresses of the two ends.
    var outerAddress: MACAddress { MACAddress(local: number, side: 0x77) }
    var innerAddress: MACAddress { MACAddress(local: number, side: 0x78) }

    /// The name of the end in the namespace.
    static let innerInterface = "np1"
    /// Nobody else's addresses: that of the namespace, and those of its way out. The node's end has the first of these, as an
    /// interface without any IPv4 address lets nothing pass its reverse-path check.
    static let inner = IPAddress(ipv4: 0xa9fe_4d01)
    static let gateways = [IPAddress(ipv4: 0xa9fe_4d02), IPAddress(high: 0xfe80 << 48, low: 0x77)]
    /// In the namespace, the table by which every address is a local one: only for what comes in by the pair.
    static let table: UInt32 = 100

    /// FNV-1a of the instance's name.
    private var number: UInt32 {
        instance.utf8.reduce(0x811c_9dc5) { ($0 ^ UInt32($1)) &* 0x0100_0193 }
    }
}

import CLibNL
import Support

/// A filter of a traffic-control hook, as the kernel lists it: in the order in which filters see packets.
struct FilterRecord: Hashable {
    /// Lower ones come first.
    var priority: UInt32
    /// Its number within the priority.
    var handle: UInt32
    /// `bpf`, `u32`, `flower`, ...
    var kind: String
    /// The name of its program, or empty.
    var program: String

    /// Reads the payload of an `RTM_NEWTFILTER`; `nil` for what is no filter that packets meet: the head of a list, and
    /// chains that only others lead to.
    init?(message payload: some Sequence<UInt8>) {
        var reader = NetlinkReader(payload)
        // struct tcmsg: family and padding, ifindex, handle, parent, info (priority and protocol).
        guard let header = reader.header(20) else { return nil }
        handle = NetlinkReader.number(header[8..<12])
        priority = NetlinkReader.number(header[16..<20]) >> 16
        kind = ""
        program = ""
        var chain: UInt32 = 0
        while let attribute = reader.next() {
            switch attribute.type {
            case FilterRecord.kindAttribute: kind = attribute.text
            case FilterRecord.chainAttribute: chain = attribute.number ?? 0
            case FilterRecord.optionsAttribute:
                var options = attribute.nested
                while let option = options.next() {
                    if option.type == FilterRecord.programAttribute, kind == "bpf" { program = option.text }
                }
            default: continue
            }
        }
        guard handle != 0, !kind.isEmpty, chain == 0 else { return nil }
    }

    // TCA_KIND, TCA_OPTIONS, TCA_CHAIN; TCA_BPF_NAME.
    private static let kindAttribute: UInt16 = 1
    private static let optionsAttribute: UInt16 = 2
    private static let chainAttribute: UInt16 = 11
    private static let programAttribute: UInt16 = 7
}

extension FilterRecord: CustomStringConvertible {
    /// `bpf filter of priority 1 (cil_from_container)`.
    var description: String { "\(kind) filter of priority \(priority)" + (program.isEmpty ? "" : " (\(program))") }
}

extension NetlinkSocket {
    // TC_H_CLSACT with TC_H_MIN_INGRESS and TC_H_MIN_EGRESS.
    private static let ingressParent: UInt32 = 0xffff_fff2
    private static let egressParent: UInt32 = 0xffff_fff3

    /// The filters of an interface's clsact hook, in the order in which they see packets; none without such an interface.
    func filters(of ifindex: UInt32, _ side: TCXDirection) throws(SystemError) -> [FilterRecord] {
        let parent = side == .ingress ? NetlinkSocket.ingressParent : NetlinkSocket.egressParent
        var header: [UInt8] = []
        for word in [0, ifindex, 0, parent, 0] as [UInt32] {
            for shift in [0, 8, 16, 24] as [UInt32] { header.append(UInt8(truncatingIfNeeded: word >> shift)) }
        }
        return try list("filters", message: Int32(RTM_GETTFILTER), header: header) { FilterRecord(message: $0) }
    }
}

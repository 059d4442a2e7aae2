import Glibc
import Support
import SystemPackage

/// The rules of iptables' own tables (not those that iptables-nft keeps in nftables), as the kernel has them.
enum IPTables {
    // linux/netfilter_ipv4/ip_tables.h and its twin for IPv6: both begin at 64.
    private static let getInfo: Int32 = 64
    private static let getEntries: Int32 = 65
    /// `struct ipt_getinfo`: name, hooks, entry points, underflows, number and bytes of the entries.
    private static let infoLength = 32 + 4 + 20 + 20 + 4 + 4
    /// `struct ipt_get_entries` before its entries, which are aligned to 8 bytes.
    private static let headLength = 32 + 8
    /// More bytes of rules are not read.
    private static let limit = 64 << 20

    /// The bytes of the table `nat`, in which a chain stands with its name.
    ///
    /// - Throws: `SystemError` when the kernel does not give them.
    static func natRules(family: Int32) throws(SystemError) -> [UInt8] {
        let socket = Glibc.socket(family, Int32(SOCK_RAW.rawValue), Int32(IPPROTO_RAW))
        guard socket >= 0 else { throw SystemError("open", "raw socket", .current) }
        defer { close(socket) }
        let level = family == AF_INET ? Int32(IPPROTO_IP) : Int32(IPPROTO_IPV6)
        var info = Array("nat".utf8) + [UInt8](repeating: 0, count: infoLength - 3)
        var length = socklen_t(info.count)
        guard getsockopt(socket, level, getInfo, &info, &length) == 0 else {
            throw SystemError("read", "table nat", .current)
        }
        let size = Int(NetlinkReader.number(info[(infoLength - 4)...]))
        guard size <= limit else { throw SystemError("read", "table nat", .fileTooLarge) }
        var entries = [UInt8](repeating: 0, count: headLength + size)
        entries.replaceSubrange(0..<3, with: Array("nat".utf8))
        entries.replaceSubrange(32..<36, with: (0..<4).map { UInt8(truncatingIfNeeded: size >> ($0 * 8)) })
        length = socklen_t(entries.count)
        guard getsockopt(socket, level, getEntries, &entries, &length) == 0 else {
            throw SystemError("read", "rules of table nat", .current)
        }
        return Array(entries.dropFirst(headLength))
    }
}

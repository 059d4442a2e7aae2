import CLibNL
import Glibc
import Support

/// The tables and chains of nftables, by name.
enum NFTables {
    /// A table, or a chain in one.
    struct Name: Hashable {
        var table: String
        /// Empty: the table itself.
        var chain: String
    }

    // linux/netfilter/nfnetlink.h and nf_tables.h: the subsystem in the upper byte of a message's type.
    private static let subsystem: Int32 = 10 << 8
    private static let getTable: Int32 = 1
    private static let getChain: Int32 = 4
    private static let tableName: UInt16 = 1  // NFTA_TABLE_NAME
    private static let chainTable: UInt16 = 1  // NFTA_CHAIN_TABLE
    private static let chainName: UInt16 = 3  // NFTA_CHAIN_NAME

    /// All of them in the calling thread's network namespace; empty where the kernel has no nftables.
    static func names() throws(SystemError) -> [Name] {
        let socket: NetlinkSocket
        do throws(SystemError) {
            socket = try NetlinkSocket(protocol: NETLINK_NETFILTER)
        } catch {
            // A kernel without netfilter has no rules either.
            return []
        }
        // `struct nfgenmsg`: any family, version 0, no resource.
        let header: [UInt8] = [0, 0, 0, 0]
        let tables = try socket.list("tables", message: subsystem | getTable, header: header) { payload -> Name? in
            var reader = NetlinkReader(payload)
            guard reader.header(4) != nil else { return nil }
            while let attribute = reader.next() {
                if attribute.type == tableName { return Name(table: attribute.text, chain: "") }
            }
            return nil
        }
        let chains = try socket.list("chains", message: subsystem | getChain, header: header) { payload -> Name? in
            var reader = NetlinkReader(payload)
            guard reader.header(4) != nil else { return nil }
            var name = Name(table: "", chain: "")
            while let attribute = reader.next() {
                if attribute.type == chainTable { name.table = attribute.text }
                if attribute.type == chainName { name.chain = attribute.text }
            }
            return name
        }
        return tables + chains
    }
}

public import BPFEmit
import CLibNL
import Glibc
import Support

/// Looks for other components on the node that translate Services.
public struct TranslatorScan: Sendable {
    /// What was found, each component once.
    public var findings: [TranslatorFinding] = []
    /// What could not be looked at, and why.
    public var unread: [String] = []

    /// How the names of maps of Services begin that Cilium and Calico pin; a version may stand behind.
    private static let pins: [(component: TranslatorFinding.Component, names: [String])] = [
        (.cilium, ["cilium_lb4_services", "cilium_lb6_services"]),
        (.calico, ["cali_v4_nat_fe", "cali_v6_nat_fe"]),
    ]
    /// Chains that kube-proxy has in every version, in rules of iptables.
    private static let chain = "KUBE-SERVICES"
    /// Tables that it has in nftables.
    private static let table = "kube-proxy"

    /// Looks once, from the network namespace of the calling thread. Changes nothing: no kernel module is loaded for it.
    ///
    /// - Parameters:
    ///   - pins: where maps of other programs are pinned.
    ///   - processes: the file system of processes.
    public init(pins: String = "/sys/fs/bpf/tc/globals", processes: String = "/proc") {
        lookAtPins(pins)
        lookAtNFTables()
        lookAtIPTables(processes)
        lookAtIPVS(processes)
        lookAtLinks()
    }

    private mutating func add(_ component: TranslatorFinding.Component, _ evidence: String) {
        guard !findings.contains(where: { $0.component == component }) else { return }
        findings.append(TranslatorFinding(component, evidence: evidence))
    }

    private mutating func lookAtPins(_ folder: String) {
        guard let list = opendir(folder) else { return }
        defer { closedir(list) }
        while let entry = readdir(list) {
            let file = withUnsafeBytes(of: entry.pointee.d_name) {
                String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
            }
            for (component, names) in TranslatorScan.pins where names.contains(where: file.hasPrefix) {
                add(component, "\(folder)/\(file) is there")
            }
        }
    }

    private mutating func lookAtNFTables() {
        do throws(SystemError) {
            for name in try NFTables.names() {
                if name.chain == TranslatorScan.chain {
                    add(.kubeProxyIPTables, "iptables-nft has a chain \(TranslatorScan.chain)")
                } else if name.table == TranslatorScan.table {
                    add(.kubeProxyNFTables, "nftables has a table \(TranslatorScan.table)")
                }
            }
        } catch {
            unread.append("nftables (\(error))")
        }
    }

    private mutating func lookAtIPTables(_ processes: String) {
        for (family, list) in [(AF_INET, "ip_tables_names"), (AF_INET6, "ip6_tables_names")] {
            // Without the table in the list the question would load its module.
            let bytes = (try? BoundedFile.read("\(processes)/thread-self/net/\(list)", limit: 1 << 12)) ?? []
            guard bytes.split(separator: UInt8(ascii: "\n")).contains(where: { $0.elementsEqual("nat".utf8) }) else {
                continue
            }
            do throws(SystemError) {
                let rules = try IPTables.natRules(family: family)
                if rules.contains(Array(TranslatorScan.chain.utf8)) {
                    add(.kubeProxyIPTables, "iptables has a chain \(TranslatorScan.chain)")
                }
            } catch {
                unread.append("iptables (\(error))")
            }
        }
    }

    /// Three lines of headings come first; a virtual server begins with its protocol.
    private mutating func lookAtIPVS(_ processes: String) {
        let bytes = (try? BoundedFile.read("\(processes)/thread-self/net/ip_vs", limit: 1 << 24)) ?? []
        let servers = bytes.split(separator: UInt8(ascii: "\n")).count { line in
            ["TCP ", "UDP ", "SCTP "].contains { line.starts(with: $0.utf8) }
        }
        if servers > 0 { add(.kubeProxyIPVS, "IPVS has \(servers) virtual server\(servers == 1 ? "" : "s")") }
    }

    private mutating func lookAtLinks() {
        if if_nametoindex("ovs-system") != 0 { add(.openVSwitch, "there is an interface ovs-system") }
    }
}

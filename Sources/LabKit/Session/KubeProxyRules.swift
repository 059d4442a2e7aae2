import Datapath
import Foundation
import NetTypes
import PolicyIR

/// The rules by which kube-proxy's nftables mode translates Services, as far as pods see them: a map from addresses, protocols and ports to a
/// chain of each Service, there one endpoint by chance, a mark for what comes back to its sender, and a reject without endpoints. So the
/// lab has what stands behind the hooks on a node.
struct KubeProxyRules {
    private let frontends: [ServiceFrontend]

    /// The rules of frontends.
    init(_ frontends: [ServiceFrontend]) { self.frontends = frontends }

    /// For `nft -f`, both families.
    var text: String { table(isIPv4: true) + table(isIPv4: false) }

    private func table(isIPv4: Bool) -> String {
        let family = isIPv4 ? "ip" : "ip6"
        let own = frontends.filter { $0.address.isIPv4 == isIPv4 }
        var chains = ""
        var verdicts: [String] = []
        var empty: [String] = []
        for (number, frontend) in own.enumerated() {
            let key = "\(frontend.address) . \(frontend.protocol.description.lowercased()) . \(frontend.port)"
            guard !frontend.backends.isEmpty else {
                empty.append(key)
                continue
            }
            verdicts.append("\(key) : goto service-\(number)")
            let choice = frontend.backends.enumerated().map { "\($0.offset) : goto endpoint-\(number)-\($0.offset)" }
            chains +=
                "    chain service-\(number) {\n"
                + "        numgen random mod \(choice.count) vmap { \(choice.joined(separator: ", ")) }\n    }\n"
            for (place, backend) in frontend.backends.enumerated() {
                chains +=
                    "    chain endpoint-\(number)-\(place) {\n"
                    + "        \(family) saddr \(backend.address) meta mark set meta mark or 0x4000\n"
                    + "        meta l4proto \(frontend.protocol.description.lowercased()) dnat to \(backend)\n    }\n"
            }
        }
        let destination = "\(family) daddr . meta l4proto . th dport"
        func list(_ entries: [String]) -> String { "{ \(entries.joined(separator: ", ")) }" }
        var text = "table \(family) kube-proxy {\n" + chains
        text += "    chain services {\n"
        if !verdicts.isEmpty { text += "        \(destination) vmap \(list(verdicts))\n" }
        text += "    }\n    chain no-endpoints {\n"
        if !empty.isEmpty { text += "        \(destination) \(list(empty)) reject\n" }
        text += "    }\n"
        text += "    chain nat-prerouting { type nat hook prerouting priority dstnat; jump services; }\n"
        text += "    chain nat-output { type nat hook output priority -100; jump services; }\n"
        text += "    chain filter-forward { type filter hook forward priority -110; ct state new jump no-endpoints; }\n"
        text += "    chain filter-input { type filter hook input priority -110; ct state new jump no-endpoints; }\n"
        text +=
            "    chain nat-postrouting { type nat hook postrouting priority srcnat; "
            + "meta mark and 0x4000 != 0 masquerade fully-random; }\n"
        return text + "}\n"
    }

    /// Puts them in force in a namespace.
    ///
    /// - Throws: `LabFailure` when nft is missing or refuses them.
    func install(in namespace: NetworkNamespace) throws {
        let text = text
        try namespace.run {
            let process = Process()
            process.executableURL = URL(filePath: "/usr/bin/env")
            process.arguments = ["nft", "-f", "-"]
            let (input, errors) = (Pipe(), Pipe())
            process.standardInput = input
            process.standardError = errors
            do {
                try process.run()
                try input.fileHandleForWriting.write(contentsOf: Data(text.utf8))
                try input.fileHandleForWriting.close()
            } catch {
                throw LabFailure.environment("nft cannot be run: \(error)")
            }
            let said = errors.fileHandleForReading.readDataToEndOfFile()
            process.waitUntilExit()
            guard process.terminationStatus == 0 else {
                throw LabFailure.environment("nft refuses the rules: \(String(decoding: said, as: UTF8.self))")
            }
        }
    }
}

import Agent
import BPFEmit
import Datapath
import Foundation
import Glibc
import NetTypes
import PolicyAPI
import PolicyIR
import ProxyRules
import Support

/// Writes the proxy's rules whenever programs with L7 rules come or go, before they do, and waits a moment for the proxy to have read
/// them. With them whose the addresses of the node's pods are: for names in a log nobody waits.
final class RuleSnapshotWriter {
    /// How long a proxy that runs is waited for: what it does not know yet it denies.
    private static let patience = Duration.milliseconds(400)

    private let paths: InstancePaths
    private let failed: (String) -> Void
    private var revision: UInt64
    /// The policies of an earlier process, whose programs run until the first ones of this one are in their place. Theirs have other
    /// numbers.
    private var earlier: [RuleSnapshot.Policy]
    /// What the file has, once this process has written it.
    private var written: [RuleSnapshot.Policy]?

    /// A writer that goes on from the revision of the file that is there; `failed` is told what cannot be written.
    init(_ paths: InstancePaths, failed: @escaping (String) -> Void) {
        self.paths = paths
        self.failed = failed
        let file = try? FileContent.readRegular(paths.proxyRules, limit: RuleSnapshot.largest + 1)
        let found = file.flatMap { try? RuleSnapshot(json: Data($0.bytes)) }
        revision = found?.revision ?? 0
        earlier = found?.policies ?? []
    }

    /// The snapshot of some programs' rules.
    static func snapshot(_ programs: [ProgramRules], revision: UInt64) -> RuleSnapshot {
        RuleSnapshot(
            revision: revision,
            policies: programs.sorted { $0.base < $1.base }.compactMap { program in
                let rules = program.rules.compactMap { bit, rule in
                    RuleSnapshot.Rule(number: bit, l7: rule.l7, origin: rule.origin)
                }
                if rules.isEmpty { return nil }
                var policy = RuleSnapshot.Policy(id: program.base, direction: program.direction, rules: rules)
                if rules.contains(where: { !$0.dns.isEmpty }) { policy.names = names(program) }
                return policy
            })
    }

    private static func names(_ program: ProgramRules) -> RuleSnapshot.Names? {
        guard program.names != 0, !program.columns.isEmpty else { return nil }
        return RuleSnapshot.Names(
            numbering: program.names,
            columns: program.columns.map { number, list in
                var column = RuleSnapshot.Column(number: number, names: [], patterns: [])
                for selector in list.selectors {
                    switch selector {
                    case .name(let name): column.names.append(name)
                    case .pattern(let pattern): column.patterns.append(pattern)
                    }
                }
                return column
            })
    }

    /// Writes the rules of these programs and whose the addresses are.
    func write(_ programs: [ProgramRules], _ addresses: [IPAddress: EndpointKey]) {
        var isNew = true
        do {
            var snapshot = RuleSnapshotWriter.snapshot(programs, revision: revision)
            snapshot.pods = RuleSnapshotWriter.pods(addresses)
            let own = Set(snapshot.policies.map(\.id))
            snapshot.policies += earlier.filter { !own.contains($0.id) }
            snapshot.policies.sort { $0.id < $1.id }
            isNew = snapshot.policies != written
            if isNew { revision += 1 }
            snapshot.revision = revision
            earlier = []
            written = nil
            try FileContent.replace(paths.proxyRules, with: try snapshot.json())
            written = snapshot.policies
        } catch {
            return failed("\(error)")
        }
        if isNew { wait() }
    }

    private static func pods(_ addresses: [IPAddress: EndpointKey]) -> [RuleSnapshot.Pod] {
        Dictionary(grouping: addresses, by: \.value).sorted { $0.key < $1.key }.map { pod, held in
            RuleSnapshot.Pod(
                namespace: pod.namespace, name: pod.name, addresses: held.map(\.key).sorted().map(\.description))
        }
    }

    private func wait() {
        let end = ContinuousClock.now + RuleSnapshotWriter.patience
        while ContinuousClock.now < end {
            guard let proxy = ProxyStatus.read(paths.proxyState), proxy.revision < revision else { return }
            usleep(5000)
        }
    }
}

import Foundation
import NetpoldTestSupport
import PolicyAPI
import Testing

@testable import BPFEmit
@testable import PolicyIR

/// The incremental compiler against the full compile, over random sequences of changes of every kind.
@Suite struct CompilerStateChangesTests {
    /// Changes of each of the 40 sequences; `NETPOLD_CHANGE_STEPS=500` for the long run, `NETPOLD_CHANGE_SEED` for another start.
    private static let steps = ProcessInfo.processInfo.environment["NETPOLD_CHANGE_STEPS"].flatMap { Int($0) } ?? 25
    private static let seed = ProcessInfo.processInfo.environment["NETPOLD_CHANGE_SEED"].flatMap { UInt64($0) } ?? 1

    @Test(
        "after any sequence of objects that come, go and change, the image equals one compiled from scratch",
        arguments: 0..<40)
    func incremental(number: Int) throws {
        let seed = Self.seed &* 1000 &+ UInt64(number)
        var cluster = ChangingCluster(seed: seed)
        var random = SplitMix64(seed: seed)
        // A third of them has hardly room for prefixes, so that policies are closed and come back as written.
        let prefixLimit = number % 3 == 0 ? 4 : nil
        var state = CompilerState(
            cluster.clusterObjects(&random), standIns: cluster.standIns, localNode: cluster.localNode,
            prefixLimit: prefixLimit)
        var closed: Set<Set<ClusterObject.Key>> = []
        // Half of them compile again every few changes, which must not be seen.
        if number % 2 == 1 { (state.slack, state.sizeLimit) = (-state.index.size, 0) }
        for step in 0..<Self.steps {
            let before = state.image
            let changes = (0...random.below(random.pick([1, 1, 1, 6]))).map { _ in cluster.change(&random) }
            let delta = state.apply(changes)
            let image = state.image
            var found = lacking(delta, on: before, towards: image)
            found += try unequal(&state, cluster, prefixLimit, &random)
            guard found.isEmpty else {
                Issue.record("seed \(seed) step \(step): \(found)\nafter \(changes)")
                return
            }
            closed.insert(Set(state.withoutRoom.keys))
        }
        #expect((closed.count > 1) == (prefixLimit != nil))
    }

    /// How a state differs from full compiles of the same cluster: with policies that the compiler lowers, and with lowered ones.
    private func unequal(
        _ state: inout CompilerState, _ cluster: ChangingCluster, _ prefixLimit: Int?, _ random: inout SplitMix64
    ) throws -> [String] {
        var found: [String] = []
        let objects = cluster.clusterObjects(&random)
        let scratch = CompilerState(
            objects, standIns: cluster.standIns, localNode: cluster.localNode, ownAddresses: cluster.ownAddresses,
            allocator: state.allocator, prefixLimit: prefixLimit)
        found += differences(state.image, scratch.image)
        if state.withoutRoom != scratch.withoutRoom || state.notAsWritten != scratch.notAsWritten {
            found.append("without room \(state.withoutRoom.keys) \(scratch.withoutRoom.keys)")
        }
        if let prefixLimit, Set(state.policies.flatMap { PolicyMentions($0).prefixes }).count > prefixLimit {
            let fixed = Set(cluster.standIns.values.joined())
            let closable = state.policies.filter { !fixed.contains($0) && !PolicyMentions($0).prefixes.isEmpty }
            if !closable.isEmpty { found.append("more prefixes than there is room for, of \(closable.map(\.origin))") }
        }
        if state.diagnostics != scratch.diagnostics {
            found.append("diagnostics \(state.diagnostics) \(scratch.diagnostics)")
        }
        let known = state.objects
        let lowered = PolicyLowering.lower(known, for: .enforcement, closed: state.withoutRoom)
        let policies = lowered.policies + cluster.standIns.values.joined()
        if Set(state.policies) != Set(policies) { found.append("policies \(state.policies) \(policies)") }
        let second = CompilerState(known, policies: policies, localNode: cluster.localNode, allocator: state.allocator)
        found += differences(state.image, second.image).map { "lowered before: \($0)" }
        if state.diagnostics != (lowered.diagnostics + second.diagnostics).sorted() {
            found.append("lowering diagnostics")
        }
        if Set(known.pods) != Set(objects.pods) { found.append("pods") }
        return found
    }
}

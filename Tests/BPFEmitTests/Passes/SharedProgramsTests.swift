import NetTypes
import NetpoldTestSupport
import PolicyAPI
import Testing

@testable import BPFEmit

@Suite("Programs that policies share")
struct SharedProgramsTests {
    @Test(
        "a policy, its copies in other namespaces and its next kin have the images that they have one by one",
        arguments: 0..<20)
    func images(seed: Int) throws {
        var policies = RandomPolicyBits(seed: UInt64(seed))
        var programs = SharedPrograms()
        for _ in 0..<30 {
            let policy = policies.next(maximum: 12)
            for kin in [policy, moved(policy)] + changed(policy) {
                let alone = Result { try PolicyEmitter.emit(kin) }
                let shared = Result { try programs.emit(kin) }
                switch (alone, shared) {
                case (.success(let alone), .success(let shared)): #expect(alone == shared)
                case (.failure, .failure): continue
                case (.success, .failure), (.failure, .success): Issue.record("\(alone) is not \(shared)")
                }
            }
        }
    }

    /// The same from objects of another namespace.
    private func moved(_ policy: PolicyBits) -> PolicyBits {
        var policy = policy
        for place in policy.bits.indices { policy.bits[place].rule.origin.namespace += "-other" }
        for place in policy.isolatedBy.indices { policy.isolatedBy[place].namespace += "-other" }
        return policy
    }

    /// Policies that differ in one thing that a program depends on.
    private func changed(_ policy: PolicyBits) -> [PolicyBits] {
        var kin: [PolicyBits] = []
        if !policy.bits.isEmpty {
            var other = policy
            other.bits[0].matchesAnyPeer.toggle()
            kin.append(other)
            other = policy
            other.bits[0].rule.action = other.bits[0].rule.action == .deny ? .allow : .deny
            kin.append(other)
            other = policy
            other.bits[0].traffic = other.bits[0].traffic == nil ? [.init(.tcp, PortRange(1))] : nil
            kin.append(other)
        }
        var open = policy
        open.isolatedBy = []
        open.hostBit = nil
        open.peers = []
        kin.append(open)
        return kin
    }
}

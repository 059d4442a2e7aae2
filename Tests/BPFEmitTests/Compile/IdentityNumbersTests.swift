import CNetpoldABI
import NetTypes
import PolicyIR
import Testing

@Suite struct IdentityNumbersTests {
    @Test("reserved identities and the ranges of the others are those of the datapath")
    func numbers() {
        let pairs: [(ReservedIdentity, Int32)] = [
            (.unknown, NP_IDENTITY_UNKNOWN), (.host, NP_IDENTITY_HOST), (.world, NP_IDENTITY_WORLD),
            (.unmanaged, NP_IDENTITY_UNMANAGED), (.health, NP_IDENTITY_HEALTH), (.initial, NP_IDENTITY_INIT),
            (.remoteNode, NP_IDENTITY_REMOTE_NODE), (.kubeAPIServer, NP_IDENTITY_KUBE_APISERVER),
            (.ingress, NP_IDENTITY_INGRESS), (.worldIPv4, NP_IDENTITY_WORLD_IPV4), (.worldIPv6, NP_IDENTITY_WORLD_IPV6),
        ]
        #expect(pairs.map(\.0) == ReservedIdentity.allCases)
        for (identity, number) in pairs { #expect(identity.rawValue == UInt32(number)) }
        #expect(IdentityScope.pod.numbers.lowerBound == UInt32(NP_IDENTITY_FIRST_POD))
        #expect(IdentityScope.outside.numbers.lowerBound == UInt32(NP_IDENTITY_FIRST_LOCAL))
        #expect(IdentityScope.node.numbers.lowerBound == UInt32(NP_IDENTITY_FIRST_NODE))
        #expect(IdentityScope.host.numbers.lowerBound == UInt32(NP_IDENTITY_FIRST_HOST))
    }

    @Test("directions have the numbers of the datapath")
    func directions() {
        #expect(UInt32(Direction.ingress.rawValue) == NP_INGRESS.rawValue)
        #expect(UInt32(Direction.egress.rawValue) == NP_EGRESS.rawValue)
    }
}

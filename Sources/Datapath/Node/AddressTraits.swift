import BPFEmit
import CNetpoldABI
import NetTypes

extension NodeImage {
    /// Addresses of local pods.
    var localAddresses: Set<IPAddress> { Set(endpoints.lazy.flatMap(\.addresses)) }

    /// What values of np_addresses say beside the identity: which pods are on other nodes, so that programs need not ask
    /// np_sources about them.
    func traits(besides local: Set<IPAddress>) -> [IPAddress: UInt32] {
        let pods = UInt32(NP_IDENTITY_FIRST_POD)..<UInt32(NP_IDENTITY_FIRST_LOCAL)
        var traits: [IPAddress: UInt32] = [:]
        for entry in addresses where pods.contains(entry.identity) && !local.contains(entry.address) {
            traits[entry.address] = UInt32(NP_IDENTITY_ELSEWHERE)
        }
        return traits
    }
}

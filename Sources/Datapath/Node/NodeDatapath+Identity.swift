import CNetpoldABI
package import NetTypes

extension NodeDatapath {
    /// The identity that the kernel's map has for an address, with its marks; `nil` for none. For measurements.
    package func kernelIdentity(of address: IPAddress) throws(BPFError) -> UInt32? {
        try maps.addresses.value(of: np_address(address), initial: UInt32(0))
    }
}

package import CNetpoldABI
package import NetTypes

extension np_address {
    /// The sixteen bytes in network order.
    package init(_ address: IPAddress) {
        self.init(
            word: (
                UInt32(truncatingIfNeeded: address.high >> 32).bigEndian,
                UInt32(truncatingIfNeeded: address.high).bigEndian,
                UInt32(truncatingIfNeeded: address.low >> 32).bigEndian,
                UInt32(truncatingIfNeeded: address.low).bigEndian
            ))
    }

    var ipAddress: IPAddress {
        IPAddress(
            high: UInt64(UInt32(bigEndian: word.0)) << 32 | UInt64(UInt32(bigEndian: word.1)),
            low: UInt64(UInt32(bigEndian: word.2)) << 32 | UInt64(UInt32(bigEndian: word.3)))
    }

    var isZero: Bool { word == (0, 0, 0, 0) }
}

extension np_prefix_key {
    init(_ prefix: IPPrefix) {
        self.init(prefix_length: UInt32(prefix.mappedLength), address: np_address(prefix.address))
    }

    /// `nil` for a key no prefix has.
    var prefix: IPPrefix? {
        let address = address.ipAddress
        let length = Int(prefix_length)
        return IPPrefix(address, length: address.isIPv4 ? length - 96 : length)
    }
}

extension np_endpoint {
    /// What the pod may send from.
    var addresses: [IPAddress] {
        [address.0, address.1].filter { !$0.isZero }.map(\.ipAddress)
    }

    var isReady: Bool { flags & UInt32(NP_ENDPOINT_READY) != 0 }
}

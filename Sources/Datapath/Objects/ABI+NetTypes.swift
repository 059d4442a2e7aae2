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

extension np_source {
    /// Of at most `NP_SOURCE_LINKS` interfaces; more are left out.
    package init(_ links: some Sequence<UInt32>) {
        self.init()
        withUnsafeMutableBytes(of: &self.links) { bytes in
            for (place, link) in zip(bytes.bindMemory(to: UInt32.self).indices, links) {
                bytes.storeBytes(of: link, toByteOffset: 4 * place, as: UInt32.self)
            }
        }
    }

    /// The interfaces.
    var interfaces: [UInt32] {
        withUnsafeBytes(of: links) { Array($0.bindMemory(to: UInt32.self)) }.filter { $0 != 0 }
    }
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
    var isMoving: Bool { flags & UInt32(NP_ENDPOINT_MOVING) != 0 }
}

import CLibNL
import Glibc
public import NetTypes

/// libnl's address object for the length of a call: conversions between it and `IPAddress`, `IPPrefix`, `MACAddress`.
enum NetlinkAddress {
    /// Calls `body` with an address of `length` prefix bits (as written: 0...32 or 0...128).
    static func with<Result>(
        _ address: IPAddress, length: Int? = nil, _ body: (OpaquePointer?) -> Result
    ) -> Result {
        let family = address.isIPv4 ? AF_INET : AF_INET6
        let bytes = address.isIPv4 ? Array(address.bytes.suffix(4)) : address.bytes
        let built = nl_addr_build(family, bytes, bytes.count)
        defer { nl_addr_put(built) }
        nl_addr_set_prefixlen(built, Int32(length ?? bytes.count * 8))
        return body(built)
    }

    /// Calls `body` with a prefix.
    static func with<Result>(_ prefix: IPPrefix, _ body: (OpaquePointer?) -> Result) -> Result {
        if prefix.length == 0 {
            // An empty binary address is how libnl writes the default route.
            let bytes: [UInt8] = []
            let built = nl_addr_build(prefix.isIPv4 ? AF_INET : AF_INET6, bytes, 0)
            defer { nl_addr_put(built) }
            nl_addr_set_prefixlen(built, 0)
            return body(built)
        }
        return with(prefix.address, length: prefix.length, body)
    }

    /// Calls `body` with an Ethernet address.
    static func with<Result>(_ address: MACAddress, _ body: (OpaquePointer?) -> Result) -> Result {
        let built = nl_addr_build(AF_LLC, address.bytes, address.bytes.count)
        defer { nl_addr_put(built) }
        return body(built)
    }

    /// The link-layer address in libnl's object as text, for example `aa:bb:cc:dd:ee:ff`.
    static func hardwareText(of object: OpaquePointer) -> String {
        guard let start = nl_addr_get_binary_addr(object) else { return "" }
        let bytes = UnsafeRawBufferPointer(start: start, count: Int(nl_addr_get_len(object)))
        return bytes.map { byte in (byte < 16 ? "0" : "") + String(byte, radix: 16) }.joined(separator: ":")
    }

    /// The IP address in libnl's object, `nil` for another family.
    static func address(of object: OpaquePointer?) -> IPAddress? {
        guard let object, let start = nl_addr_get_binary_addr(object) else { return nil }
        let bytes = UnsafeRawBufferPointer(start: start, count: Int(nl_addr_get_len(object)))
        switch (nl_addr_get_family(object), bytes.count) {
        case (AF_INET, 4), (AF_INET6, 16): return IPAddress(networkBytes: bytes)
        default: return nil
        }
    }
}

extension IPAddress {
    /// An address from its 4 or 16 bytes in network order, `nil` for another count.
    public init?(networkBytes bytes: some Sequence<UInt8>) {
        var count = 0
        var high: UInt64 = 0
        var low: UInt64 = 0
        for byte in bytes {
            count += 1
            high = high << 8 | low >> 56
            low = low << 8 | UInt64(byte)
        }
        switch count {
        case 4: self.init(ipv4: UInt32(truncatingIfNeeded: low))
        case 16: self.init(high: high, low: low)
        default: return nil
        }
    }
}

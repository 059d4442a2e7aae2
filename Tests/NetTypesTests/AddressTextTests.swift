import Testing

@testable import NetTypes

@Suite("Text of addresses and prefixes")
struct AddressTextTests {
    @Test(
        "Addresses are read and written canonically",
        arguments: [
            ("10.0.0.1", "10.0.0.1"), ("0.0.0.0", "0.0.0.0"), ("255.255.255.255", "255.255.255.255"), ("::", "::"),
            ("::1", "::1"),
            ("1::", "1::"), ("2001:DB8::A", "2001:db8::a"), ("2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"),
            ("2001:0db8:0000:0000:0000:0000:0000:0001", "2001:db8::1"), ("1:0:3:4:5:6:7:8", "1:0:3:4:5:6:7:8"),
            ("1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"), ("::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8"),
            ("::ffff:10.0.0.1", "10.0.0.1"),
            ("::ffff:a00:1", "10.0.0.1"), ("64:ff9b::192.0.2.1", "64:ff9b::c000:201"),
            ("1:2:3:4:5:6:1.2.3.4", "1:2:3:4:5:6:102:304"),
            ("0:0:1::", "0:0:1::"), ("1:0:0:2:0:0:0:3", "1:0:0:2::3"), ("fe80::", "fe80::"),
        ])
    func addresses(_ text: String, _ canonical: String) throws {
        let address = try #require(IPAddress(parsing: text))
        #expect(address.description == canonical)
        #expect(IPAddress(parsing: address.description) == address)
    }

    @Test(
        "Invalid addresses are refused",
        arguments: [
            "", "1", "1.2.3", "1.2.3.4.5", "01.2.3.4", "1.2.3.256", "1.2.3.4 ", " 1.2.3.4", "1.2.3.-4", "1..2.3",
            "0x1.2.3.4", ":", ":::",
            "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1:2:3:4:5:6:7:8::", "::1::", "12345::", "g::", "::1.2.3",
            "::1.2.3.4:5", "1.2.3.4::",
            "fe80::1%eth0", "[::1]", "1:2:3:4:5:6:7:1.2.3.4", ":1::", "1::2:", "::01.2.3.4", "١.٢.٣.٤",
        ])
    func noAddresses(_ text: String) {
        #expect(IPAddress(parsing: text) == nil)
    }

    @Test(
        "Prefixes are read with host bits cleared",
        arguments: [
            ("10.0.0.1/24", "10.0.0.0/24"), ("0.0.0.0/0", "0.0.0.0/0"), ("1.2.3.4/32", "1.2.3.4/32"), ("::/0", "::/0"),
            ("2001:db8::1/32", "2001:db8::/32"), ("::1/128", "::1/128"),
        ])
    func prefixes(_ text: String, _ canonical: String) {
        #expect(IPPrefix(parsing: text)?.description == canonical)
    }

    @Test(
        "Invalid prefixes are refused",
        arguments: [
            "10.0.0.1", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/08", "10.0.0.0/+8", "10.0.0.0/-1", "10.0.0.0/8/8", "/8",
            "::/129",
            "10.0.0.0/255.0.0.0", "::ffff:10.0.0.0/104", "::ffff:10.0.0.0/24", "10.0.0.0/ 8", "10.0.0.0/8 ",
        ])
    func noPrefixes(_ text: String) {
        #expect(IPPrefix(parsing: text) == nil)
    }
}

import CNetpoldABI
import NetTypes
import Testing

@testable import Datapath

@Suite("hellos of connections that are gone", .needsRoot)
struct LeftHelloTests {
    @Test(
        "a hello goes when two walks have found it left in the same state, and that of a connection that begins stays")
    func collected() throws {
        let node = try NodeDatapath(DatapathOptions(pins: nil, attachment: .none, flowSets: 1 << 10))
        let hellos = try #require(node.maps.hellos)
        func hello(_ version: UInt32) -> np_hello {
            var hello = np_hello()
            hello.version = version
            return hello
        }
        func isThere(_ slot: UInt32) throws -> Bool { try hellos.value(of: slot, initial: np_hello()) != nil }
        // Slots of a new table have version 0: 1 is a hello of a flow that is there, 2 and 3 are left.
        let table = try node.maps.flows.mapped()
        defer { withExtendedLifetime(table) {} }
        try hellos.set(UInt32(1), hello(table.slot(0, 1).word.version))
        for slot in [UInt32(2), 3] { try hellos.set(slot, hello(77)) }
        try node.collectHellos()
        #expect(try isThere(1) && isThere(2) && isThere(3))
        // A connection begins in slot 3: its packet has the entry, and is about to write its own version.
        let slot = table.slot(0, 3)
        #expect(slot.change(slot.word, to: slot.word.given))
        try node.collectHellos()
        #expect(try isThere(1) && !isThere(2) && isThere(3))
        try hellos.set(UInt32(3), hello(slot.word.version))
        try node.collectHellos()
        try node.collectHellos()
        #expect(try isThere(1) && isThere(3))
    }
}

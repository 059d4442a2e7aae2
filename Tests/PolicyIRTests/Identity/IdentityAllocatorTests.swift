import NetTypes
import PolicyIR
import Testing

@Suite struct IdentityAllocatorTests {
    private func request(_ key: String, _ addresses: [String] = [], scope: IdentityScope = .pod)
        -> IdentityAllocator.Request
    {
        IdentityAllocator.Request(
            key: key, scope: scope, addresses: addresses.compactMap { IPAddress(parsing: $0) })
    }

    private func seeded(_ pins: [(String, UInt32)]) -> IdentityAllocator {
        IdentityAllocator(
            pinnedAddresses: pins.compactMap { pin in IPAddress(parsing: pin.0).map { ($0, pin.1) } },
            pinnedPrefixes: [])
    }

    @Test("from empty, numbers follow the sorted keys, whatever the order asked")
    func sorted() {
        var first = IdentityAllocator()
        var second = IdentityAllocator()
        #expect(first.assign([request("b"), request("a"), request("c")]) == [257, 256, 258])
        #expect(second.assign([request("c"), request("b"), request("a")]) == [258, 257, 256])
    }

    @Test("each scope counts in its own range")
    func scopes() {
        var allocator = IdentityAllocator()
        let numbers = allocator.assign([
            request("pod"), request("prefix", scope: .outside), request("node", scope: .node),
        ])
        #expect(numbers == [256, 0x0100_0000, 0x0200_0000])
        #expect(IdentityScope(of: 0x0200_0000) == .node)
        #expect(IdentityScope(of: 9) == nil)
    }

    @Test("a key keeps its number, and a forgotten key's number is not given again")
    func kept() {
        var allocator = IdentityAllocator()
        #expect(allocator.assign([request("b")]) == [256])
        #expect(allocator.assign([request("a"), request("b")]) == [257, 256])
        allocator.forget(except: ["a"])
        #expect(allocator.assign([request("b")]) == [258])
    }

    @Test("after a restart a class adopts the number that its addresses have in the kernel")
    func adopted() {
        var allocator = seeded([("10.0.0.1", 300), ("10.0.0.2", 300), ("10.0.0.3", 400)])
        let numbers = allocator.assign([
            request("web", ["10.0.0.1", "10.0.0.2", "10.0.0.9"]), request("db", ["10.0.0.3"]),
            request("new", ["10.0.0.8"]),
        ])
        #expect(numbers == [300, 400, 401], "a new class gets a number above all pinned ones")
    }

    @Test("nobody adopts a number that two classes claim, nor one of two that a class claims")
    func ambiguous() {
        var shared = seeded([("10.0.0.1", 300), ("10.0.0.2", 300)])
        #expect(shared.assign([request("a", ["10.0.0.1"]), request("b", ["10.0.0.2"])]) == [301, 302])
        var mixed = seeded([("10.0.0.1", 300), ("10.0.0.2", 310)])
        #expect(mixed.assign([request("a", ["10.0.0.1", "10.0.0.2"])]) == [311])
    }

    @Test("a number is adopted only inside its scope, and only in the first batch")
    func scopeOfAdoption() {
        var outside = seeded([("10.0.0.1", 0x0100_0005)])
        #expect(outside.assign([request("pod", ["10.0.0.1"])]) == [256])
        var late = seeded([("10.0.0.1", 300)])
        _ = late.assign([request("other", ["10.0.0.7"])])
        #expect(!late.wantsMembers)
        #expect(late.assign([request("pod", ["10.0.0.1"])]) == [302])
    }
}

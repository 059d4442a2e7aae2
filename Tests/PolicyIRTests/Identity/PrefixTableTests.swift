import NetpoldTestSupport
import Testing

@testable import NetTypes
@testable import PolicyIR

@Suite struct PrefixTableTests {
    private static let prefixes: [IPPrefix] = [
        "0.0.0.0/0", "10.0.0.0/8", "10.0.0.0/16", "10.0.1.0/24", "10.0.1.4/32", "192.168.0.0/24", "::/0", "::/16",
        "fd00::/8",
        "fd00:10::/32", "fd00:10::1/128",
    ].compactMap { IPPrefix(parsing: $0) }

    @Test("while uses come and go, it says what looking at all prefixes in use says", arguments: 0..<20)
    func counted(seed: Int) {
        var random = SplitMix64(seed: UInt64(seed))
        var table = PrefixTable()
        var uses: [IPPrefix: Int] = [:]
        for _ in 0..<100 {
            let prefix = random.pick(Self.prefixes)
            let count = uses[prefix] ?? 0
            if count > 0, random.once(in: 2) {
                #expect(table.release(prefix) == (count == 1))
                uses[prefix] = count > 1 ? count - 1 : nil
            } else {
                #expect(table.retain(prefix) == (count == 0))
                uses[prefix] = count + 1
            }
            let asked = random.pick(Self.prefixes)
            let inside = table.inside(asked).map { table.prefixes[Int($0)] }
            #expect(Set(inside) == Set(uses.keys.filter { asked.contains($0) }) && inside.count == Set(inside).count)
            let containing = table.containing(asked).map { table.prefixes[Int($0)] }
            #expect(containing == uses.keys.filter { $0.contains(asked) }.sorted { $0.length < $1.length })
            #expect(table.isEmpty == uses.isEmpty && table.count == uses.count)
            #expect((table.number(of: asked) != nil) == (uses[asked] != nil))
        }
    }
}

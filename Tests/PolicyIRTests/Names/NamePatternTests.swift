import PolicyIR
import Testing

struct NamePatternTests {
    @Test(
        "patterns match whole names, stars stay inside a label and a leading **. takes whole labels",
        arguments: [
            // docs/spec/cilium-network-policy.md 19, rows 88-93.
            ("*.cilium.io", "cilium.io.", false),
            ("*.cilium.io", "a.cilium.io.", true),
            ("*.cilium.io", "a.b.cilium.io.", false),
            ("*cilium.io", "cilium.io.", true),
            ("*cilium.io", "subcilium.io.", true),
            ("*cilium.io", "www.cilium.io.", false),
            ("**.cilium.io", "test.app.cilium.io.", true),
            ("**.cilium.io", "cilium.io.", false),
            ("**.*.cilium.io", "foo.cilium.io.", false),
            ("**.*.cilium.io", "_a._tcp.cilium.io.", true),
            ("*", ".", true),
            ("*", "cilium.io.", true),
            ("*", ".io.", false),
            ("test.**.cilium.io", "test.a.cilium.io", true),
            ("test.**.cilium.io", "test.a.b.cilium.io", false),
            // 12.2.
            ("sub*.x.io", "sub.x.io", true),
            ("sub*.x.io", "sub-1.x.io", true),
            ("**x.io", "ax.io", true),
            ("**x.io", "a.x.io", false),
            ("a.**.x", "a.b.x", true),
            ("a.**.x", "a.b.c.x", false),
            ("***.x.io", "a.b.x.io", true),
            (" *.X.io. ", "A.x.IO", true),
            ("*.x.io", "a b.x.io", false),
        ])
    func pattern(_ pattern: String, name: String, matches: Bool) {
        #expect(NamePattern(.pattern(pattern)).matches(name) == matches)
    }

    @Test("a name is literal: its dots are no wildcards, its case does not count")
    func name() {
        let pattern = NamePattern(.name("Cilium.io"))
        #expect(pattern.matches("CILIUM.io."))
        #expect(!pattern.matches("ciliumXio."))
        #expect(!pattern.matches("a.cilium.io"))
    }

    @Test("a DNS rule of stars alone allows every query, whatever its characters")
    func queries() {
        #expect(NamePattern(.pattern("*"), for: .queries).matches("a b..!"))
        #expect(!NamePattern(.pattern("*"), for: .addresses).matches("a b..!"))
    }

    @Test("a pattern of many stars is matched in bounded time")
    func manyStars() {
        let pattern = NamePattern(.pattern(String(repeating: "*a", count: 100) + ".io"))
        #expect(!pattern.matches(String(repeating: "a", count: 250) + ".com"))
    }
}

import Testing

@testable import PolicyAPI

@Suite("Spelling of names")
struct SpellingTests {
    @Test(
        "The nearest name is found",
        arguments: [("ingres", "ingress"), ("Egress", "egress"), ("rgeess", "egress"), ("xyz", nil), ("", nil)]
            as [(String, String?)])
    func spelling(_ word: String, _ expected: String?) {
        #expect(Spelling.nearest(to: word, among: ["egress", "ingress", "policyTypes"]) == expected)
    }

    @Test(
        "The only word that begins with what was written comes before one with other letters",
        arguments: [
            ("proto", "protocol"), ("prot", "protocol"), ("PROTO", "protocol"), ("por", "port"), ("prt", "port"),
            // Two begin so; less than half of the word.
            ("from", nil), ("fromC", "fromCIDR"), ("endpo", "endPort"), ("end", nil), ("xyz", nil), ("", nil),
        ] as [(String, String?)])
    func completion(_ word: String, _ expected: String?) {
        let words = ["port", "endPort", "protocol", "fromCIDR", "fromEntities"]
        #expect(Spelling.meant(by: word, among: words) == expected)
    }
}

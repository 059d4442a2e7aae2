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
}

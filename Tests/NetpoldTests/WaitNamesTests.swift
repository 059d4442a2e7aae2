import Agent
import Testing

@testable import netpold

@Suite("netpold wait for a policy that nobody has seen")
struct WaitNamesTests {
    private static let known = [
        PolicyName(kind: "NetworkPolicy", namespace: "shop", name: "database"),
        PolicyName(kind: "CiliumClusterwideNetworkPolicy", namespace: "", name: "baseline"),
    ]

    @Test(
        "one of a similar name is named, in the form that was asked for",
        arguments: [
            ("shop/databse", "; did you mean shop/database?"), ("database", "; did you mean shop/database?"),
            ("NetworkPolicy/shop/databse", "; did you mean NetworkPolicy/shop/database?"),
            ("baselin", "; did you mean baseline?"), ("shop/database", ""), ("baseline", ""), ("shop/web", ""),
            ("CiliumNetworkPolicy/shop/database", ""),
        ])
    func near(name: String, hint: String) throws {
        let asked = try #require(PolicyName(parsing: name))
        #expect(WaitCommand.near(asked, among: Self.known) == hint)
    }
}

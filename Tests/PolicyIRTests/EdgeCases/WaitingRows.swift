/// Rows whose part of the language is being added: the decision of requests.
enum WaitingRows {
    static let all: Set<SpecRow> = Set(
        [7, 28, 71, 73, 74, 75, 77, 95, 96, 97, 98, 109, 110, 111, 112, 123].map(SpecRow.edge)
            + [.section("8.5 L3-only allow and dns")])
    static let bypasses: Set<String> = ["CVE-2023-30851", "GHSA-hxv8-4j4r-cqgv"]
}

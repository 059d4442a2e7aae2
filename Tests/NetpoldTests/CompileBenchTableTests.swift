import Testing

@testable import BenchKit
@testable import netpold

@Suite struct CompileBenchTableTests {
    @Test("A comparison reads the times that bench-compile prints, and rows under others by both names")
    func timesOfATable() {
        let findings: [CompileBench.Finding] = [
            .measurement(.init(name: "objects to images", nanoseconds: 27_240_000, unit: .milliseconds, target: 20)),
            .measurement(.init(name: "  of which lowering", nanoseconds: 1_200_000, unit: .milliseconds, target: nil)),
            .note("50 endpoints, 50 subjects"),
            .measurement(
                .init(name: "one pod less, labels with it", nanoseconds: 15_400, unit: .microseconds, target: 50)),
            .measurement(
                .init(name: "one pod less, labels with it", nanoseconds: 16_000, unit: .microseconds, target: 50)),
        ]
        let table = ([CompileBenchTable.heading] + findings.map(CompileBenchTable.line)).joined(separator: "\n")
        #expect(
            CompileComparison.times(in: table) == [
                .init(name: "objects to images", nanoseconds: 27.2e6),
                .init(name: "objects to images: of which lowering", nanoseconds: 1.2e6),
                .init(name: "one pod less, labels with it", nanoseconds: 15.4e3),
                .init(name: "one pod less, labels with it (again)", nanoseconds: 16e3),
            ])
    }

    @Test("What prints no times is no netpold, and nothing is compared")
    func noTable() {
        let comparison = CompileComparison(with: "/bin/true", rounds: 1, arguments: [])
        #expect(throws: CompileComparison.Failure.self) { try comparison.run() }
    }
}

import Foundation
import LabKit

/// Measures compiling with this program and an older one, round by round in turn, so that what else the machine does meets both alike.
public struct CompileComparison: Sendable {
    /// What one row of `netpold bench-compile` took in both.
    public struct Row: Hashable, Sendable {
        /// What was measured.
        public var name: String
        /// CPU nanoseconds of the older program, the median of the rounds.
        public var before: Double
        /// CPU nanoseconds of this program, the median of the rounds.
        public var now: Double
        /// The median of the rounds' ratios of this program to the older one.
        public var ratio: Double
    }

    /// Why there is nothing to compare.
    public enum Failure: Error, CustomStringConvertible {
        /// A program did not print a table.
        case noTable(String)
        /// The programs have no row of one name.
        case nothingInCommon(String)

        /// What to do about it.
        public var description: String {
            switch self {
            case .noTable(let path): "\(path) bench-compile printed no times: is it a netpold that knows these options?"
            case .nothingInCommon(let path): "\(path) bench-compile measures nothing that this program measures as well"
            }
        }
    }

    private let other: String
    private let rounds: Int
    private let arguments: [String]

    /// A comparison with the program of a path, in so many rounds of `bench-compile` with these arguments.
    public init(with other: String, rounds: Int, arguments: [String]) {
        self.other = other
        self.rounds = max(rounds, 1)
        self.arguments = ["bench-compile"] + arguments
    }

    /// The rows that both print, in the order of this program's. Times are the programs' own: of the thread that compiles.
    ///
    /// - Throws: when a program cannot be started or prints no table.
    public func run() throws -> [Row] {
        var all: [(before: [Line], now: [Line])] = []
        for round in 0..<rounds {
            // Which is first changes with each round.
            let first = try lines(of: round % 2 == 0 ? other : Self.own)
            let second = try lines(of: round % 2 == 0 ? Self.own : other)
            all.append(round % 2 == 0 ? (first, second) : (second, first))
        }
        let names = all[0].now.map(\.name)
        let rows = names.compactMap { name -> Row? in
            var pairs: [(before: Double, now: Double)] = []
            for round in all {
                guard let before = round.before.first(where: { $0.name == name }),
                    let now = round.now.first(where: { $0.name == name })
                else { return nil }
                pairs.append((before.nanoseconds, now.nanoseconds))
            }
            return Row(
                name: name, before: Self.median(pairs.map(\.before)), now: Self.median(pairs.map(\.now)),
                ratio: Self.median(pairs.map { $0.now / max($0.before, 1) }))
        }
        if rows.isEmpty { throw Failure.nothingInCommon(other) }
        return rows
    }

    private static let own = LabProcess.ownPath

    /// A time of a table.
    struct Line: Hashable {
        var name: String
        var nanoseconds: Double
    }

    /// The times in a table as `bench-compile` prints it. A row that stands under another is named after it.
    static func times(in table: String) -> [Line] {
        var found: [Line] = []
        var above = ""
        for line in table.split(separator: "\n") {
            let cells = line.components(separatedBy: "  ").map { $0.trimmingCharacters(in: .whitespaces) }
                .filter { !$0.isEmpty }
            guard cells.count >= 2 else { continue }
            let words = cells[1].split(separator: " ")
            guard words.count == 2, let number = Double(words[0]), let unit = ["ms": 1e6, "us": 1e3][words[1]] else {
                continue
            }
            let isPart = line.hasPrefix(" ")
            if !isPart { above = cells[0] }
            let name = isPart ? "\(above): \(cells[0])" : cells[0]
            // The changes are measured in two clusters.
            let isAgain = found.contains { $0.name == name }
            found.append(Line(name: isAgain ? "\(name) (again)" : name, nanoseconds: number * unit))
        }
        return found
    }

    private func lines(of path: String) throws -> [Line] {
        let process = try BoundProcess.make(path, arguments)
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        let lines = Self.times(in: text)
        if process.terminationStatus != 0 || lines.isEmpty { throw Failure.noTable(path) }
        return lines
    }

    private static func median(_ values: [Double]) -> Double { values.quantile(0.5) ?? 0 }
}

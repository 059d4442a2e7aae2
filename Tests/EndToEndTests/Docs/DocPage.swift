/// A page of docs/ with what in it can be tried: files to write and commands to run.
///
/// - A `yaml` or `json` block whose first line is `# path` is a file at that path. A block without one is an error.
/// - A `console` block is a session: lines after `$ ` are commands (`\` at the end goes on), the lines up to the next one
///   what they print, both streams. A line `...`, however indented, stands for any number of lines.
/// - `<!-- needs root -->` anywhere says that the page is for root, `<!-- generated` at its beginning that a table makes it.
struct DocPage {
    /// A thing to do, in the order of the page.
    enum Step: Equatable {
        /// A file to write.
        case file(path: String, text: String)
        /// A command, with the lines it should print and the index of the first of them in the page.
        case command(String, output: [String], line: Int)
    }

    /// What is wrong with a page as such.
    struct Malformed: Error, CustomStringConvertible {
        var line: Int
        var description: String
    }

    /// What to do.
    private(set) var steps: [Step] = []
    /// Whether the commands need root.
    private(set) var needsRoot = false
    /// Whether a table in the code makes the page.
    let isGenerated: Bool
    /// The page's lines.
    let lines: [String]

    /// Reads a page.
    init(_ text: String) throws(Malformed) {
        lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        isGenerated = lines.first?.hasPrefix("<!-- generated") ?? false
        guard !isGenerated else { return }
        var index = 0
        while index < lines.count {
            let line = lines[index]
            if line.contains("<!-- needs root -->") { needsRoot = true }
            index += 1
            guard line.hasPrefix("```") else { continue }
            guard let end = lines[index...].firstIndex(where: { $0.hasPrefix("```") }) else {
                throw Malformed(line: index, description: "the block has no end")
            }
            switch line.dropFirst(3) {
            case "yaml", "json": steps.append(try DocPage.file(lines[index..<end]))
            case "console": steps += DocPage.session(lines[index..<end])
            default: break
            }
            index = end + 1
        }
    }

    private static func file(_ block: ArraySlice<String>) throws(Malformed) -> Step {
        guard let first = block.first, first.hasPrefix("# "), !first.dropFirst(2).contains(" ") else {
            throw Malformed(line: block.startIndex + 1, description: "the block names no file: begin it with `# path`")
        }
        return .file(path: String(first.dropFirst(2)), text: block.joined(separator: "\n") + "\n")
    }

    private static func session(_ block: ArraySlice<String>) -> [Step] {
        var steps: [Step] = []
        var index = block.startIndex
        while index < block.endIndex {
            guard block[index].hasPrefix("$ ") else {
                index += 1
                continue
            }
            var command = String(block[index].dropFirst(2))
            index += 1
            while command.hasSuffix("\\"), index < block.endIndex {
                command += "\n" + block[index]
                index += 1
            }
            let output = block[index...].prefix { !$0.hasPrefix("$ ") }
            steps.append(.command(command, output: Array(output), line: index))
            index = output.endIndex
        }
        return steps
    }

    /// Whether lines are what is expected of them.
    static func matches(_ lines: ArraySlice<String>, _ expected: ArraySlice<String>) -> Bool {
        guard let first = expected.first else { return lines.isEmpty }
        if first.drop(while: { $0 == " " }) == "..." {
            return (lines.startIndex...lines.endIndex).contains { matches(lines[$0...], expected.dropFirst()) }
        }
        return lines.first == first && matches(lines.dropFirst(), expected.dropFirst())
    }
}

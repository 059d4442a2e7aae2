import ArgumentParser
import Foundation
import PolicyAPI

/// The word `help` where it is no option.
enum HelpWords {
    /// The arguments, where they end with `help` behind commands (`netpold lint help`) with the option in its place.
    static func asOption(_ arguments: [String], _ root: any ParsableCommand.Type) -> [String] {
        let words = arguments.dropLast()
        guard arguments.last == "help", !words.isEmpty, words.first != "help",
            !FileManager.default.fileExists(atPath: "help"), unknown(Array(words), root) == nil
        else { return arguments }
        return words + ["--help"]
    }

    /// What is wrong with `netpold help COMMAND`; `nil` where there is such a command, and for other arguments.
    static func mistake(_ arguments: [String], _ root: any ParsableCommand.Type) -> String? {
        guard arguments.first == "help" else { return nil }
        let words = arguments.dropFirst().filter { !$0.hasPrefix("-") }
        guard let (word, names) = unknown(Array(words), root) else { return nil }
        let near = Spelling.nearest(to: word, among: names)
        return "there is no command '\(word)'"
            + (near.map { "; did you mean \($0)?" } ?? "; the commands are \(names.joined(separator: ", "))")
    }

    /// A message with the usage of a command in the place of the root's.
    static func message(_ text: String, usage: String) -> String {
        let words = usage.split(separator: " ").prefix { $0.first?.isLetter == true }.joined(separator: " ")
        let end = text.range(of: "\nUsage: ")?.lowerBound ?? text.endIndex
        return "\(text[..<end])\nUsage: \(usage)\n  See '\(words) --help' for more information."
    }

    /// The first word that is no command of those before it, with what there is in its place; `nil` if all are.
    private static func unknown(
        _ words: [String], _ root: any ParsableCommand.Type
    ) -> (word: String, names: [String])? {
        var command = root
        for word in words {
            let inside = command.configuration.subcommands
            guard let next = inside.first(where: { $0.configuration.commandName == word }) else {
                let shown = inside.filter { $0.configuration.shouldDisplay }
                return (word, shown.compactMap { $0.configuration.commandName })
            }
            command = next
        }
        return nil
    }
}

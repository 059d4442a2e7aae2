import ArgumentParser
import PolicyAPI

/// Finds the subcommand, or the option, that a mistyped word was meant to be.
enum MistypedCommand {
    /// A message of the parser, with the nearest subcommand where it is about a word in the place of one.
    static func hint(_ message: String, _ arguments: [String], _ root: any ParsableCommand.Type) -> String {
        if let text = optionHint(message, arguments, root) { return text }
        var command = root
        var path = [root.configuration.commandName ?? "netpold"]
        for word in arguments {
            let inside = command.configuration.subcommands
            guard !word.hasPrefix("-"), !inside.isEmpty else { return message }
            if let next = inside.first(where: { $0.configuration.commandName == word }) {
                command = next
                path.append(word)
                continue
            }
            let names = inside.filter { $0.configuration.shouldDisplay }.compactMap { $0.configuration.commandName }
            guard let near = Spelling.nearest(to: word, among: names) else { return message }
            let meant = "did you mean \(path.joined(separator: " ")) \(near)?"
            // The command may have found that out itself.
            guard !message.contains(meant) else { return message }
            let lines = message.split(separator: "\n", maxSplits: 1, omittingEmptySubsequences: false)
            let rest = lines.count > 1 ? "\n\(lines[1])" : ""
            // A word that is no argument of the command either: an option behind it is not what is wrong.
            let first = lines[0].contains("nknown option") ? "there is no command '\(word)'" : String(lines[0])
            return "\(first); \(meant)\(rest)"
        }
        return message
    }

    /// The message with the option that was meant in place of the parser's, which takes swapped letters for two mistakes and proposes
    /// options that have hardly a letter in common; `nil` where it is not about an option.
    private static func optionHint(
        _ message: String, _ arguments: [String], _ root: any ParsableCommand.Type
    ) -> String? {
        let lines = message.split(separator: "\n", maxSplits: 1, omittingEmptySubsequences: false)
        guard let first = lines.first, let unknown = first.firstMatch(of: /^Unknown option '--([^']+)'/) else {
            return nil
        }
        var command = root
        for word in arguments {
            guard let next = command.configuration.subcommands.first(where: { $0.configuration.commandName == word })
            else { break }
            command = next
        }
        command = command.configuration.defaultSubcommand ?? command
        // Older names too, which help does not list.
        let help = root.helpMessage(for: command, includeHidden: true, columns: 200)
        let options = help.matches(of: /(?m)^ +(?:-\w, )?--([a-z][a-z0-9-]*)/).map { String($0.1) }
        let rest = lines.count > 1 ? "\n\(lines[1])" : ""
        let meant = Spelling.meant(by: String(unknown.1), among: options)
        return "\(unknown.0)" + (meant.map { ". Did you mean '--\($0)'?" } ?? "") + rest
    }
}

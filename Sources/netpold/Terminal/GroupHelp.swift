import ArgumentParser

/// The help of a command that has subcommands and runs one of them by itself: the options of that one, then the others.
enum GroupHelp {
    /// The help that the arguments ask for; `nil` where they ask for that of another kind of command, or for none.
    static func text(_ arguments: [String], _ root: any ParsableCommand.Type) -> String? {
        var words = arguments
        if words.first == "help" {
            words.removeFirst()
        } else if words.last == "--help" || words.last == "-h" {
            words.removeLast()
        } else {
            return nil
        }
        var command = root
        for word in words {
            guard let next = command.configuration.subcommands.first(where: { $0.configuration.commandName == word })
            else { return nil }
            command = next
        }
        guard let inside = command.configuration.defaultSubcommand else { return nil }
        let group = root.helpMessage(for: command)
        guard let others = group.range(of: "SUBCOMMANDS:") else { return nil }
        return root.helpMessage(for: inside) + "\n\n" + group[others.lowerBound...]
    }
}

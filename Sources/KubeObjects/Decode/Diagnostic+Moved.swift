import PolicyAPI

extension Diagnostic {
    /// The same about an object of an API server: nobody can look at its lines.
    func moved(to place: SourceLocation) -> Diagnostic {
        var moved = self
        moved.location = place
        return moved
    }
}

extension Array where Element: Comparable {
    /// The value below which this part (0 to 1) of the values lies; `nil` without values.
    package func quantile(_ part: Double) -> Element? {
        isEmpty ? nil : sorted()[Swift.min(count - 1, Int(part * Double(count)))]
    }
}

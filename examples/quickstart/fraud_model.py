"""The model that the quick start store holds: a threshold, so that its files stay small."""

import json

import mlflow


class FraudModel(mlflow.pyfunc.PythonModel):
    """Calls a payment suspicious when its amount is above a limit."""

    def load_context(self, context):
        with open(context.artifacts["limits"], encoding="utf-8") as file:
            self.limits = json.load(file)

    def predict(self, context, model_input, params=None):
        return [amount > self.limits["amount"] for amount in model_input["amount"]]


mlflow.models.set_model(FraudModel())
